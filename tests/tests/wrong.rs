//! Wrong input: one test per transcript below `wrong/`. Each report must say what, where, why, and how to mend it.

use moonlet_tests::suite::check_transcript as transcript;

datatest_stable::harness! {
    { test = transcript, root = "wrong", pattern = r"/expect\.txt$" },
}
