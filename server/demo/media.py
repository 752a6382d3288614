"""Pictures of demo products: drawn by the server, so that they show with the network cut."""

import dataclasses
import functools
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.demo.vocabulary import vocabulary

PREFIX: Final = "/demo-media/"

_NAME = re.compile(r"(?P<category>[a-z]+(?:-[a-z]+)*)-(?P<color>[0-9a-f]{6})\.svg")
_LONGEST_NAME = 60

_SHAPES = {
    "apparel": "M150 120l55-30q45 40 90 0l55 30 45 90-50 25-20-35v180H175V200l-20 35-50-25z",
    "footwear": "M110 190h80l50 60 100 35q45 15 45 60v15H110z",
    "homeware": "M150 150h180v40h30q40 0 40 45t-40 45h-35q-15 80-85 80t-90-90zm180 75v30h25q10 0 10-15t-10-15z",
    "electronics": "M170 130h160q20 0 20 20v210q0 20-20 20H170q-20 0-20-20V150q0-20 20-20z"
    "m80 40a25 25 0 1 0 .1 0zm0 85a45 45 0 1 0 .1 0z",
    "outdoor": "M250 120l150 250H100zm0 90l-55 160h110z",
}
"""A silhouette for each product type, on a canvas of 500 by 500."""

_HEADERS = {
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """What is to be seen.

    Attributes:
        category: Slug of the category of the thing shown.
        color: Its color, `#rrggbb`.
    """

    category: str
    color: str

    @property
    def path(self) -> str:
        """The path it is served under."""
        return f"{PREFIX}{self.category}-{self.color.removeprefix('#')}.svg"

    def drawing(self, kind: str) -> str:
        """Return the picture as SVG.

        Args:
            kind: Product type of the thing shown, which decides the silhouette.
        """
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 500 500" width="500" height="500" role="img">'
            f"<title>{self.category}</title>"
            '<rect width="500" height="500" fill="#eceae4"/>'
            '<ellipse cx="250" cy="395" rx="165" ry="16" fill="#000" opacity=".08"/>'
            f'<path d="{_SHAPES[kind]}" fill="{self.color}" fill-rule="evenodd" stroke="#000" stroke-opacity=".18"'
            ' stroke-width="4" stroke-linejoin="round"/>'
            '<text x="250" y="460" text-anchor="middle" font-family="system-ui, sans-serif" font-size="24"'
            f' fill="#6d6a62">{self.category.replace("-", " ")}</text></svg>'
        )


def media_route() -> Route:
    """Return the route of the pictures; for development, where demo shops are."""
    return Route(f"{PREFIX}{{name}}", _picture, name="demo-media")


async def _picture(request: Request) -> Response:
    name = request.path_params["name"]
    found = _NAME.fullmatch(name) if len(name) <= _LONGEST_NAME else None
    kind = _kinds().get(found["category"]) if found else None
    if found is None or kind is None:
        return PlainTextResponse("There is no such picture.", status_code=404)
    picture = Picture(found["category"], f"#{found['color']}")
    return Response(picture.drawing(kind), media_type="image/svg+xml", headers=_HEADERS)


@functools.cache
def _kinds() -> dict[str, str]:
    """Return the product type of each category that has products."""
    return {item.category: item.type for item in vocabulary().items}
