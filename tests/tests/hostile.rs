//! Hostile programs: one test per group of `hostile/`, each a node under attack.

use moonlet_tests::hostile::check_group as group;

datatest_stable::harness! {
    { test = group, root = "hostile", pattern = r"/host\.yaml$" },
}
