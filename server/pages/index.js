// A button beside each text to paste. Without it, or where the browser forbids copying, the text can be selected.
for (const pre of document.querySelectorAll("article pre")) {
  const row = document.createElement("div");
  row.className = "copyable";
  pre.replaceWith(row);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", () => copy(pre.textContent, pre, button));
  row.append(pre, button);
}
document.querySelector(".shop").open = true;

async function copy(text, pre, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    button.addEventListener("blur", () => (button.textContent = "Copy"), { once: true });
  } catch {
    getSelection().selectAllChildren(pre);
    button.textContent = "Selected";
  }
}
