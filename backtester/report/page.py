"""One self-contained HTML file: templates, one copy of plotly.js, and a policy that allows no more.

The content security policy names the two inline scripts by their sha256, so nothing a name or a
number smuggles into the page could run, and forbids every request.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from backtester.errors import StoreError

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: Any) -> str:
    """The page of `template`; every value is escaped unless a template of ours says otherwise."""
    scripts = (plotly_js(), asset("report.js"))
    return (
        environment()
        .get_template(template)
        .render(
            csp=policy(scripts),
            plotly_js=scripts[0],
            report_js=scripts[1],
            css=asset("style.css"),
            **values,
        )
    )


def policy(scripts: tuple[str, ...]) -> str:
    """The content security policy: these scripts, inline style, pictures made by the page."""
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


@cache
def plotly_js() -> str:
    """The plotly.js that ships in the plotly package, checked to be safe inside a script element.

    Raises StoreError where the file is missing or could end its element.
    """
    file = resources.files("plotly").joinpath("package_data", "plotly.min.js")
    try:
        source = file.read_text(encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"plotly.min.js of the plotly package cannot be read ({error.strerror})",
            cure="Install plotly 6 or later again.",
        ) from error
    return _checked("plotly.min.js", source)


@cache
def asset(name: str) -> str:
    """A style sheet or script of ours."""
    file = resources.files("backtester.report").joinpath("templates", name)
    return _checked(name, file.read_text(encoding="utf-8"))


def _checked(name: str, source: str) -> str:
    """`source` with plain line ends: the parser makes them so before the policy's hash is taken."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    low = source.lower()
    if "</script" in low or "<!--" in low or "</style" in low or "\0" in low:
        raise StoreError(
            f"{name} cannot stand inside a page: it holds the end of its own element",
            cure="Install the plotly version of requirements.txt.",
        )
    return source


@cache
def environment() -> Environment:
    """Templates with autoescape on and undefined names an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("backtester.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
