// Shows stock and prices as they change: two subscriptions over one WebSocket, taken up again where they were lost.
const PROTOCOL = "graphql-transport-ws";
const RESTARTING = 1012;
const PING_MS = 10_000;
const PONG_MS = 5_000;
const LONGEST_PAUSE_MS = 3_000;

const shop = new URLSearchParams(location.search).get("shop") ?? "demo";
const endpoint = new URL("graphql", document.baseURI);

const VARIANT = "id price { amount currency } availability { isAvailable quantity }";
const SHELF = `query Shelf { products(first: 12) { nodes { name variants(first: 2) { name ${VARIANT} } } } }`;
const SUBSCRIPTIONS = {
  stock: `subscription Stock($after: BigInt) {
    news: stockChanged(after: $after) { __typename ... on StockChanged { sequence variant { ${VARIANT} } } ... on Gap { sequence } }
  }`,
  prices: `subscription Prices($after: BigInt) {
    news: priceChanged(after: $after) { __typename ... on PriceChanged { sequence variant { ${VARIANT} } } ... on Gap { sequence } }
  }`,
};

const element = (id) => document.getElementById(id);
const rows = new Map();
// The last sequence that each subscription has brought: where it is taken up again.
const cursors = {};
// Said once the page is live again.
let notice = "";
let events = 0;
let attempts = 0;

function say(state) {
  element("state").dataset.state = state;
  element("state").textContent = state === "live" ? "live" : `${state}…`;
}

function tell(problem) {
  element("problem").textContent = problem;
  element("problem").hidden = problem === "";
}

function priceText({ amount, currency }) {
  // As many decimals as the amount comes with, which are those of the currency.
  const digits = amount.split(".")[1]?.length ?? 0;
  const form = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat("en", form).format(amount);
}

function write(cell, value, text) {
  const before = cell.dataset.value;
  cell.textContent = text;
  cell.dataset.value = value;
  if (before === undefined || Number(before) === Number(value)) {
    return;
  }
  const change = Number(value) > Number(before) ? "rise" : "fall";
  cell.classList.remove("rise", "fall");
  // Reading a measure lets the browser see the class go, so that the same animation begins anew.
  void cell.offsetWidth;
  cell.classList.add(change);
}

function show({ id, price, availability }) {
  const row = rows.get(id);
  if (row === undefined) {
    return;
  }
  if (price !== null) {
    write(row.price, price.amount, priceText(price));
  }
  if (availability !== null) {
    const quantity = availability.quantity;
    write(row.stock, quantity ?? Number(availability.isAvailable), quantity ?? (availability.isAvailable ? "yes" : "no"));
  }
}

function addRow(product, variant) {
  const row = element("shelf").insertRow();
  row.dataset.variant = variant.id;
  row.insertCell().textContent = product.name;
  row.insertCell().textContent = variant.name;
  const [price, stock] = [row.insertCell(), row.insertCell()];
  price.className = stock.className = "figure";
  rows.set(variant.id, { price, stock });
}

function beginAnew() {
  notice = "The server does not know of what was heard here, since its database is another one; all was read anew.";
  for (const name of Object.keys(cursors)) {
    delete cursors[name];
  }
  rows.clear();
  element("shelf").replaceChildren();
  element("sequence").textContent = "–";
}

async function readShelf() {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Galleria-Shop": shop },
    body: JSON.stringify({ query: SHELF }),
  });
  const { data, errors } = await response.json();
  if (errors) {
    throw new Error(errors[0].message);
  }
  const variants = data.products.nodes.flatMap((product) => product.variants);
  if (rows.size > 0 && !variants.some(({ id }) => rows.has(id))) {
    beginAnew();
  }
  for (const product of data.products.nodes) {
    for (const variant of product.variants) {
      if (!rows.has(variant.id)) {
        addRow(product, variant);
      }
      show(variant);
    }
  }
}

function hear(name, news) {
  cursors[name] = news.sequence;
  if (news.__typename === "Gap") {
    // What was missed is gone; the present state has it all.
    readShelf().catch(({ message }) => tell(message));
    return;
  }
  events += 1;
  element("events").textContent = events.toLocaleString("en");
  element("sequence").textContent = news.sequence;
  if (news.variant !== null) {
    show(news.variant);
  }
}

function connect() {
  const socket = new WebSocket(endpoint.href.replace(/^http/, "ws"), PROTOCOL);
  const send = (message) => socket.send(JSON.stringify(message));
  const resumed = { ...cursors };
  let pinging;
  let patience;

  function stop(problem) {
    tell(problem);
    socket.close();
  }

  function ping() {
    send({ type: "ping" });
    patience = setTimeout(() => socket.close(), PONG_MS);
  }

  function begin() {
    for (const [id, query] of Object.entries(SUBSCRIPTIONS)) {
      send({ type: "subscribe", id, payload: { query, variables: { after: resumed[id] ?? null } } });
    }
    ping();
    pinging = setInterval(ping, PING_MS);
  }

  async function goOn() {
    clearTimeout(patience);
    if (element("state").dataset.state === "live") {
      return;
    }
    // First listen, then read: what changes between the two is heard.
    try {
      await readShelf();
      if (socket.readyState !== WebSocket.OPEN) {
        return;
      }
      tell(notice);
      notice = "";
      say("live");
    } catch ({ message }) {
      stop(message);
    }
  }

  const handlers = {
    connection_ack: begin,
    next: ({ id, payload }) => {
      attempts = 0;
      if (payload.errors) {
        tell(payload.errors[0].message);
      } else {
        hear(id, payload.data.news);
      }
    },
    error: ({ id, payload: [{ message, extensions }] }) => {
      if (extensions?.code === "BAD_USER_INPUT" && id in resumed) {
        // A cursor that was never given: it would be refused again and again.
        beginAnew();
        stop(notice);
      } else {
        stop(message);
      }
    },
    // The server is about to end: in a moment there is another one.
    complete: () => stop(""),
    ping: ({ payload }) => {
      // A server that is about to end says how far each subscription has heard.
      Object.assign(cursors, payload?.resume);
      send({ type: "pong" });
    },
    pong: goOn,
  };
  socket.addEventListener("open", () => send({ type: "connection_init", payload: { "Galleria-Shop": shop } }));
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    handlers[message.type](message);
  });
  socket.addEventListener("close", ({ code, reason }) => {
    clearInterval(pinging);
    clearTimeout(patience);
    say("reconnecting");
    if (code !== RESTARTING && reason !== "") {
      tell(reason);
    }
    attempts += 1;
    setTimeout(connect, Math.min(LONGEST_PAUSE_MS, 250 * 2 ** attempts) * (0.5 + Math.random() / 2));
  });
}

element("shop").textContent = shop;
document.querySelector(`nav a[data-shop="${CSS.escape(shop)}"]`)?.setAttribute("aria-current", "page");
connect();
