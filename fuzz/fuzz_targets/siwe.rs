#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| guildhall::domain::sign_in::fuzzing::message(text));
