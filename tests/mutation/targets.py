"""Which tests speak for which module: the nearest first, as most mutants die there."""

ROUTING = "tests/unit/routing"

TARGETS: dict[str, tuple[str, ...]] = {
    "ollm_tui/routing/router.py": (f"{ROUTING}/test_router_overrides.py", ROUTING),
    "ollm_tui/routing/ranking.py": (f"{ROUTING}/test_router_ranking.py", ROUTING),
    "ollm_tui/routing/family.py": (f"{ROUTING}/test_family.py", ROUTING),
    "ollm_tui/routing/database.py": (f"{ROUTING}/test_database.py", ROUTING),
    "ollm_tui/routing/pattern.py": (f"{ROUTING}/test_pattern.py", ROUTING),
    "ollm_tui/routing/entry.py": (f"{ROUTING}/test_database.py", ROUTING),
    "ollm_tui/routing/facts.py": (f"{ROUTING}/test_facts.py", ROUTING),
    "ollm_tui/routing/capability.py": (ROUTING,),
    "ollm_tui/routing/profile.py": (f"{ROUTING}/test_profile.py", ROUTING),
}
"""Module to arguments of pytest, one run for each until one fails."""
