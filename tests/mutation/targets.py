"""Which tests speak for which module: the nearest first, as most mutants die there."""

ROUTING = "tests/unit/routing"
SERVICE = "tests/unit/service"
CONFIG = "tests/unit/config"
PROPERTIES = "tests/properties"

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
    "ollm_tui/service/cache.py": (
        f"{SERVICE}/test_cache.py",
        f"{PROPERTIES}/test_cache_machine.py",
        f"{SERVICE}/test_service.py",
    ),
    "ollm_tui/service/progress.py": (
        f"{SERVICE}/test_progress.py",
        f"{SERVICE}/test_time_left.py",
        f"{SERVICE}/test_queue.py",
    ),
    "ollm_tui/service/heartbeat.py": (
        f"{SERVICE}/test_queue.py",
        f"{SERVICE}/test_retry.py",
        SERVICE,
    ),
    "ollm_tui/service/queue.py": (
        f"{SERVICE}/test_queue.py",
        f"{SERVICE}/test_retry.py",
        f"{SERVICE}/test_preflight.py",
        f"{SERVICE}/test_state.py",
        f"{SERVICE}/test_sharing.py",
        f"{SERVICE}/test_queue_news.py",
        f"{SERVICE}/test_queue_alone.py",
        SERVICE,
    ),
    "ollm_tui/config/resolve.py": (f"{CONFIG}/test_resolve.py", CONFIG),
    "ollm_tui/config/layer.py": (f"{CONFIG}/test_layer.py", CONFIG),
}
"""Module to arguments of pytest, one run for each until one fails."""
