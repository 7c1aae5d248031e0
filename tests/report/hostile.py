"""Names an attacker, or a careless copy and paste, might put into a study."""

from __future__ import annotations

from typing import Any

_MARK = "document.title='pwned'"
HOSTILE = (
    f"<script>{_MARK}</script>",
    f"</script><script>{_MARK}</script>",
    f"<img src=x onerror={_MARK}>",
    f"<svg/onload={_MARK}>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "&amp;lt;b id=pwned&amp;gt;",
    "&#60;i id=pwned&#62;",
    "&#x3c;u id=pwned&#x3e;",
    "<b id=pwned>bold</b>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="https://evil.example">x</a>',
    "<sub>low</sub><sup>high</sup><br>",
    f'" onmouseover="{_MARK}',
    f"' onfocus='{_MARK}' autofocus='",
    '"><h1 id=pwned>x</h1>',
    "'><iframe src=//evil.example></iframe>",
    "--><script>1</script><!--",
    "<!-- open comment",
    "]]><x id=pwned>",
    "</title><h1 id=pwned>t</h1>",
    "</style><style>*{display:none}",
    "</option></select><b id=pwned>",
    "{{7*7}}",
    "{% raw %}{{ self }}{% endraw %}",
    "{# comment #}${7*7}#{7*7}",
    "%{x} %{customdata} <extra>q</extra>",
    "$\\href{javascript:alert(1)}{x}$",
    "[/foo]",
    "[link=https://evil.example]click[/link]",
    "[bold red]x[/]",
    "[/]",
    "\\[bold]x",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
    "nul\x00inside",
    "bell\x07back\x08space",
    "line\nbreak\r\nand\ttab",
    "right\u202eto\u202cleft",
    "iso\u2066late\u2069d",
    "zero\u200bwidth\ufeff",
    "line\u2028sep\u2029",
    '=HYPERLINK("https://evil.example")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "-2+3+cmd",
    "\t=1+1",
    "../../etc/passwd",
    "2020-01-01",
    "1e5",
    "javascript:alert(1)",
    "__proto__",
    "constructor",
    "@grid",
    "x" * 80,
)
assert len(HOSTILE) % 9 == 0


def hostile_names(names: Any, batch: int) -> Any:
    """Nine of them as the names of a study with the shape of the ordinary one."""
    n = HOSTILE[9 * batch : 9 * batch + 9]
    return names(study=n[0], strategies=n[1:4], markets=n[4:6], assets=n[6:9])
