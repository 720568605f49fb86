//! Behaviour that Lua code sees: one test per folder of `apps/`, each an app that checks itself.

use moonlet_tests::suite::check_app as app;

datatest_stable::harness! {
    { test = app, root = "apps", pattern = r"/main\.lua$" },
}
