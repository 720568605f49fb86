//! Calls below the level of types: pointers and lengths that no compiler would pass.

#[link(wasm_import_module = "moonlet:runtime/messages@0.1.0")]
unsafe extern "C" {
    #[link_name = "listen"]
    fn listen(topic: usize, length: usize, result: usize);
    #[link_name = "unlisten"]
    fn unlisten(topic: usize, length: usize);
    #[link_name = "send"]
    fn send(
        to: usize,
        to_length: usize,
        topic: usize,
        topic_length: usize,
        data: usize,
        data_length: usize,
        channels: usize,
        count: usize,
        result: usize,
    );
    #[link_name = "pause"]
    fn pause(some: i32, topic: usize, length: usize);
}

#[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.2.6")]
unsafe extern "C" {
    #[link_name = "subscribe-duration"]
    fn subscribe_duration(nanoseconds: i64) -> i32;
}

/// Takes clocks, each of which the host keeps, and gives none back.
pub fn clocks() {
    loop {
        // SAFETY: the import takes and returns plain numbers.
        unsafe { subscribe_duration(i64::MAX) };
    }
}

#[link(wasm_import_module = "moonlet:runtime/random@0.1.0")]
unsafe extern "C" {
    #[link_name = "bytes"]
    fn bytes(count: i32, result: usize);
}

#[link(wasm_import_module = "moonlet:runtime/log@0.1.0")]
unsafe extern "C" {
    #[link_name = "write"]
    fn write(
        level: i32,
        logger: usize,
        logger_length: usize,
        message: usize,
        length: usize,
        fields: usize,
        fields_length: usize,
        place: usize,
        place_length: usize,
    );
}

#[link(wasm_import_module = "moonlet:runtime/channels@0.1.0")]
unsafe extern "C" {
    #[link_name = "select"]
    fn select(cases: usize, count: usize, wait: i32, result: usize);
}

/// How many calls there are.
#[expect(dead_code, reason = "the attack counts them")]
pub(crate) const COUNT: u64 = 16;

/// Makes one of them; each must end the process.
pub(crate) fn call(number: u64) {
    let good = b"text";
    let (text, length) = (good.as_ptr() as usize, good.len());
    let mut room = [0_u32; 32];
    let result = room.as_mut_ptr() as usize;
    let bad_text = [0xff_u8, 0xfe, 0xc0, 0x80];
    let end = usize::MAX;
    // SAFETY: none at all; the host must find out.
    unsafe {
        match number {
            0 => listen(end, 1, result),
            1 => listen(text, end, result),
            2 => listen(end - 3, 8, result),
            3 => listen(bad_text.as_ptr() as usize, 4, result),
            4 => listen(text, length, end),
            5 => listen(text, length, result + 1),
            6 => unlisten(0x7fff_ffff, 0x7fff_ffff),
            7 => send(text, length, text, length, end, 1, 0, 0, result),
            8 => send(text, length, text, length, 0, 0, end - 7, 2, result),
            9 => send(text, length, text, length, 0, 0, text | 1, 0x4000_0000, result),
            10 => pause(2, text, length),
            11 => bytes(16, end - 8),
            12 => write(9, 0, 0, text, length, 0, 0, 0, 0),
            13 => write(0, end, end, text, length, 0, 0, 0, 0),
            14 => select(text, 0x1000_0000, 1, result),
            _ => select(end, 1, 7, result),
        }
    }
}
