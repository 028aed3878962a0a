"""Pages are read as a browser without JavaScript reads them."""

from __future__ import annotations

from booking.crowd.pages import Page

PAGE = b"""<!doctype html><html><body><h1> Seats </h1>
<a href="/screenings/5">5</a><a name="x">no</a>
<form action="/holds" method="post">
  <input type="hidden" name="form_token" value="a&amp;b">
  <input type="checkbox" name="seats" value="A1"><input type="checkbox" name="seats" value="A2" disabled>
  <input type="checkbox" name="news" checked>
  <input name="customer_name"><input type="email" name="contact"><input type="submit" name="go" value="x">
  <select name="date"><option value="">Any</option>
    <option>2026-12-24</option><option value="z" disabled>Z</option></select>
</form>
<form><input type="hidden" name="q"></form></body></html>"""


def test_a_form_sends_what_a_browser_would_and_offers_what_a_person_may_change() -> None:
    form, other = Page(PAGE).forms()
    assert (form.action, form.method) == ("/holds", "POST")
    assert form.fields == (("form_token", "a&b"), ("news", "on"))
    assert (form.boxes, form.taken) == ((("seats", "A1"),), (("seats", "A2"),))
    assert form.blanks == ("customer_name", "contact")
    assert form.choices == {"date": (("", "Any"), ("2026-12-24", "2026-12-24"))}
    assert (other.action, other.method, other.fields) == ("", "GET", (("q", ""),))


def test_links_and_texts_are_found() -> None:
    page = Page(PAGE)
    assert page.links() == ["/screenings/5"]
    assert (page.text("h1"), page.text("h2")) == ("Seats", "")


def test_a_page_that_goes_on_by_itself_says_where() -> None:
    assert Page(b'<meta http-equiv="Refresh" content="3; url=/queue?x=1">').refresh() == "/queue?x=1"
    assert Page(b'<meta http-equiv="refresh" content="3"><meta charset="utf-8">').refresh() == ""


def test_rubbish_has_no_forms() -> None:
    assert Page(b"\xff\xfe <<form").forms() == []
