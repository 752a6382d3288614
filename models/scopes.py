"""What rows are seen through: channel, locale, and whether drafts show."""

import dataclasses
import uuid


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """The part of a scope that changes the text of a statement.

    Attributes:
        translated: Texts are looked up in another locale than the shop's own.
        drafts: Rows that shoppers may not see are included.
    """

    translated: bool = False
    drafts: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What a root field's subtree is seen through.

    Attributes:
        channel_id: The channel whose prices and stock are shown; None where the shop has none.
        locale: BCP 47 tag of the translation wanted; None for the shop's own texts.
        drafts: Whether the actor may see what is not published.
    """

    channel_id: uuid.UUID | None = None
    locale: str | None = None
    drafts: bool = False

    @property
    def shape(self) -> Shape:
        """What of this scope changes the text of statements."""
        return Shape(self.locale is not None, self.drafts)
