"""The images of one product while an import goes over them."""

import dataclasses
import uuid
from collections.abc import Sequence

from core.ids import new_id
from resolvers.transfer.cells import ImageCells, given
from resolvers.transfer.changes import ImageChange
from resolvers.transfer.state import Image


class Gallery:
    """Images by their address, before and after.

    An image belongs to one variant at most. Where several show the same, it belongs to the first; the others remember
    its address.
    """

    def __init__(self, product_id: uuid.UUID, images: Sequence[Image], rows: Sequence[ImageCells]) -> None:
        self._product_id = product_id
        self._before = {image.url: image for image in reversed(images)}
        self._after = {image.url: self._before[image.url] for image in images}
        self._own = {image.variant_id: image.url for image in reversed(images) if image.variant_id}
        for cells in rows:
            image = self._found(cells.url)
            self._after[cells.url] = dataclasses.replace(
                image, position=given(cells.position, image.position), alt=given(cells.alt, image.alt)
            )

    def show(self, variant_id: uuid.UUID, url: str | None, *, shared: str | None) -> str | None:
        """Let a variant show an image, or none.

        Args:
            variant_id: The variant.
            url: The image's address.
            shared: What the variant remembered until now.

        Returns:
            The address for the variant to remember, where the image is another's.
        """
        own = self._own.get(variant_id)
        if url == (own or shared):
            return shared
        if own is not None:
            self._after[own] = dataclasses.replace(self._after[own], variant_id=None)
        if url is None:
            return None
        image = self._found(url)
        if image.variant_id is not None:
            return url
        self._after[url] = dataclasses.replace(image, variant_id=variant_id)
        return None

    def changes(self) -> tuple[ImageChange, ...]:
        """Return the images, before and after."""
        return tuple(ImageChange(self._before.get(url), image) for url, image in self._after.items())

    def _found(self, url: str) -> Image:
        """Return the image of an address, a new one at the end where there is none."""
        if url in self._after:
            return self._after[url]
        position = max((image.position for image in self._after.values()), default=0) + 1
        return Image(new_id(), self._product_id, None, url, "", position)
