from playwright.async_api import expect

from tests.browser.application import LANDING


async def test_page_opens_and_nothing_goes_wrong(visit, colours, tmp_path):
    page = visit.page
    await page.goto(visit.address)
    await expect(page.get_by_role("heading", name="Galleria", level=1)).to_be_visible()
    assert await page.locator("tbody tr td:first-child").all_inner_texts() == [shop.slug for shop in LANDING.shops]
    body = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert body == {"light": "rgb(251, 249, 250)", "dark": "rgb(26, 22, 25)"}[colours]
    await page.screenshot(path=tmp_path / f"index-{colours}.png", full_page=True)
    assert visit.problems == []


async def test_page_fits_a_telephone(visit, tmp_path):
    page = visit.page
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(visit.address)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await page.screenshot(path=tmp_path / "index-small.png", full_page=True)


async def test_header_and_command_are_copied_whole(visit):
    page = visit.page
    await page.goto(visit.address)
    owner = page.locator("details[open] article", has=page.get_by_role("heading", name="Staff: owner"))
    token = next(token.value for token in LANDING.tokens if token.holder == "Staff: owner")
    await owner.get_by_role("button", name="Copy").first.click()
    await expect(owner.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == f"Authorization: Bearer {token}"
    await owner.get_by_text("as a command").click()
    await owner.get_by_role("button", name="Copy").last.click()
    await expect(owner.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl {visit.address}/graphql ")
    assert token in copied
    assert visit.problems == []


async def test_text_is_selected_where_copying_is_refused(visit):
    page = visit.page
    await page.context.clear_permissions()
    await page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await page.goto(visit.address)
    await page.get_by_role("button", name="Copy").first.click()
    await expect(page.get_by_role("button", name="Selected")).to_be_visible()
    assert await page.evaluate("getSelection().toString()") == "Galleria-Shop: demo"


async def test_one_shop_is_open_at_a_time(visit):
    page = visit.page
    await page.goto(visit.address)
    assert await page.locator(".shop[open]").count() == 1
    await page.locator(".shop > summary").nth(1).click()
    await expect(page.locator(".shop[open] > summary")).to_have_text("Demo Japan demo-jp")


async def test_link_leads_to_graphiql_and_back(visit):
    page = visit.page
    await page.goto(visit.address)
    await page.get_by_role("link", name="GraphiQL").click()
    await page.get_by_role("link", name="Galleria").click()
    await expect(page.get_by_role("heading", name="Galleria", level=1)).to_be_visible()
    assert visit.problems == []
