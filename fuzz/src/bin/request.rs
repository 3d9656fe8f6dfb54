#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| stella_service::fuzz_request(data));
