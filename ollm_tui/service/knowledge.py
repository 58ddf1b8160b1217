"""What is known of models besides what a provider says: the model database and the router.

Both are made on first use, since routing takes a while to import.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ollm_tui.core.model import ModelInfo

if TYPE_CHECKING:
    from ollm_tui.routing.database import ModelDatabase
    from ollm_tui.routing.router import Router
    from ollm_tui.routing.situation import Situation


class Knowledge:
    """The database and the router over it.

    Args:
        make_database: the shipped entries when absent.
        make_router: the built-in profiles when absent.
    """

    def __init__(
        self,
        make_database: "Callable[[], ModelDatabase] | None",
        make_router: "Callable[[ModelDatabase], Router] | None",
    ) -> None:
        self._make_database = make_database
        self._make_router = make_router
        self._database: ModelDatabase | None = None
        self._router: Router | None = None

    @property
    def database(self) -> "ModelDatabase":
        """The model database."""
        if self._database is None:
            from ollm_tui.routing.database import ModelDatabase

            self._database = self._make_database() if self._make_database else ModelDatabase()
        return self._database

    @property
    def router(self) -> "Router":
        """The router."""
        if self._router is None:
            from ollm_tui.routing.router import Router

            make_router = self._make_router or (lambda database: Router(database=database))
            self._router = make_router(self.database)
        return self._router

    def situation(self, models: Sequence[ModelInfo], profile: str | None) -> "Situation":
        """All that decides which of the models a profile gets; None = the default profile.

        Reads the catalogue, so that advice knows what could be installed.
        """
        from ollm_tui.catalogue.catalogue import catalogue
        from ollm_tui.routing.situation import Situation

        return Situation.of(self.router, models, profile, catalogue())

    def forget(self) -> None:
        """Make both anew on their next use, by the settings that are in force then."""
        self._database = self._router = None

    def enrich(self, models: Iterable[ModelInfo]) -> tuple[ModelInfo, ...]:
        """The models, each with what the database knows of it; may run in a thread."""
        from ollm_tui.routing.facts import enrich

        return tuple(enrich(model, self.database) for model in models)
