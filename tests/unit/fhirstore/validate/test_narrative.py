import pytest

from fhirstore.validate.narrative import narrative_problem


def div(content: str, attributes: str = 'xmlns="http://www.w3.org/1999/xhtml"') -> str:
    return f"<div {attributes}>{content}</div>"


@pytest.mark.parametrize(
    "content",
    [
        "text",
        "<p>血圧 <b>128/82</b> mmHg<br/></p>",
        '<table border="1"><tbody><tr><td colspan="2" style="color: red; width: 10px">x</td></tr></tbody></table>',
        '<a href="https://x.example/y?z#w">x</a><a href="#id">y</a><a href="mailto:a@x.example">z</a>',
        '<a href="Observation/1">x</a><a name="id">y</a>',
        '<a href="../../v3/cs.html#x">x</a><a href="./a%20b.html">y</a><a href="ftp://x.example/y">z</a>',
        '<img src="#image1" alt="x"/>',
        '<img src="data:image/png;base64,iVBORw0KGgo="/>',
        "&lt;script&gt; &amp; &#160;x",
        "<!-- a remark -->x",
        "<!---a > b-->x",
    ],
)
def test_harmless_narrative_is_accepted(content: str) -> None:
    assert narrative_problem(div(content)) is None


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>",
        "<SCRIPT>alert(1)</SCRIPT>",
        '<p onclick="x()">a</p>',
        '<img src="x" onerror="x()"/>',
        '<img src="https://tracker.example/pixel.png"/>',
        '<img src="data:image/svg+xml;base64,PHN2Zz4="/>',
        '<img src="data:text/html,x"/>',
        '<a href="javascript:x()">a</a>',
        '<a href="JaVaScRiPt:x()">a</a>',
        '<a href=" javascript:x()">a</a>',
        '<a href="java&#9;script:x()">a</a>',
        '<a href="&#106;avascript:x()">a</a>',
        '<a href="data:text/html,x">a</a>',
        '<a href="vbscript:x">a</a>',
        '<a href="../javascript:x()">a</a>',
        '<a href="./x:y">a</a>',
        '<a href="..//x.example">a</a>',
        '<a href="../..">a</a>',
        '<a href="//x.example">a</a>',
        '<p style="background: url(https://x.example)">a</p>',
        '<p style="width: expression(x())">a</p>',
        '<p style="background: u\\72l(x)">a</p>',
        '<p style="@import x">a</p>',
        "<iframe/>",
        "<form><input/></form>",
        "<object/>",
        "<link/>",
        "<style>p {}</style>",
        '<svg xmlns="http://www.w3.org/2000/svg"/>',
        '<p xmlns="http://www.w3.org/2000/svg">a</p>',
        '<p xmlns:x="http://x.example">a</p>',
        "<x:p>a</x:p>",
        '<p srcdoc="x">a</p>',
        "<?php x ?>a",
        "<![CDATA[<script>]]>",
        "<![CDATA[><img src=x onerror=x()>]]>",
        '<!--><img src="x" onerror="x()"/>-->a',
        '<!---><img src="x" onerror="x()"/>-->a',
        "<p>a",
        "&nbsp;a",
        "&x;",
        "",
        "  \n ",
        "<p></p>",
    ],
)
def test_narrative_that_is_not_known_to_be_harmless_is_refused(content: str) -> None:
    assert narrative_problem(div(content)) is not None


@pytest.mark.parametrize(
    "value",
    [
        "text",
        "",
        5,
        None,
        "<p xmlns='http://www.w3.org/1999/xhtml'>a</p>",
        "<div>a</div>",
        div("a", 'xmlns="http://x.example"'),
        div("a") + div("b"),
        div("a") + "b",
        '<!DOCTYPE div [<!ENTITY a "b">]>' + div("&a;"),
        "<?xml version='1.0'?><?x y?>" + div("a"),
        '<h:div xmlns:h="http://www.w3.org/1999/xhtml">a</h:div>',
        div("a\x00"),
        '<!--><img src="x" onerror="x()"/>-->' + div("a"),
        div("a") + '<!--><img src="x" onerror="x()"/>-->',
    ],
)
def test_narrative_is_one_div_of_xhtml(value: object) -> None:
    assert narrative_problem(value) is not None


def test_entities_that_multiply_are_never_expanded() -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + div("&b;")
    assert (
        narrative_problem(bomb)
        == "expected no document type, entity, processing instruction or marked section"
    )
