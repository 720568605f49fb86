//! The examples do what their READMEs show: one test per README of `examples/`.

use moonlet_tests::suite::check_transcript as readme;

datatest_stable::harness! {
    { test = readme, root = "../examples", pattern = r"/README\.md$" },
}
