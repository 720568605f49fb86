//! What operators see: one test per transcript below `cli/`.

use moonlet_tests::suite::check_transcript as transcript;

datatest_stable::harness! {
    { test = transcript, root = "cli", pattern = r"/expect\.txt$" },
}
