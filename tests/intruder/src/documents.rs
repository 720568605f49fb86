//! Documents that are none, in every place that takes one.

use super::*;

/// Bytes that end early, lie about their length, nest without end, or are no MessagePack.
fn broken() -> Vec<Vec<u8>> {
    let mut list: Vec<Vec<u8>> = [
        &[0xc1][..],
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0xdb, 0xff, 0xff, 0xff, 0xff],
        &[0xc6, 0xff, 0xff, 0xff, 0xff],
        &[0xc9, 0xff, 0xff, 0xff, 0xff, 1],
        &[0x91],
        &[0x91, 0xa5, b'x'],
        &[0x91, 0xa2, 0xff, 0xfe],
        &[0x01, 0x02],
        &[0xc0],
        &[0x91, 0xd6, 1, 0xc1, 0xc1, 0xc1, 0xc1],
        &[0x91, 0xc7, 0, 1],
        &[0x91, 0xd6, 2, 0xff, 0xff, 0xff, 0xff],
        &[0x91, 0xc7, 3, 3, 0x93, 0xa0, 0xa0],
        &[0x91, 0xd4, 0x7f, 0],
        &[0x91, 0x81, 0xc0, 0xc0],
        &[0x91, 0x81, 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0],
        &[0x92, 0x82, 0xa1, b'a', 1, 0xa1, b'a', 2, 0xc2, 0xc3],
    ]
    .iter()
    .map(|bytes| bytes.to_vec())
    .collect();
    list.push(vec![0x91; 60_000]);
    list.push(vec![0x81; 60_000]);
    list.push([vec![0xdc, 0xff, 0xff], vec![0xc0; 60_000]].concat());
    // Some thousand documents by chance; a linear congruence is random enough, and the same each time.
    let mut state = 1_u64;
    for length in 0..300 {
        let bytes = (0..length % 60).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        });
        list.push(bytes.collect());
    }
    list
}

/// Hands them to the host and, through it, to a Lua process.
pub(crate) fn everywhere(peer: &str, breaches: &mut Vec<String>) {
    for data in broken() {
        let payload = || Payload { data: data.clone(), channels: Vec::new() };
        let _ = messages::send(peer, "garbage", &payload());
        let spawn = SpawnRequest { monitor: false, link: false, ..spawn_request("tenant:echo_process", "tenant:processes") };
        let _ = lifecycle::exec(&SpawnRequest { args: payload(), ..spawn.clone() }).map(tickets::cancel);
        let _ = lifecycle::exec(&SpawnRequest { context: data.clone(), ..spawn.clone() }).map(tickets::cancel);
        let _ = lifecycle::exec(&SpawnRequest { options: data.clone(), ..spawn.clone() }).map(tickets::cancel);
        let call = CallRequest { entry: "tenant:echo".into(), args: payload(), context: data.clone(), options: data.clone() };
        let _ = functions::call(&call).map(tickets::cancel);
        let call = CallRequest { context: Vec::new(), options: Vec::new(), ..call };
        if let Ok(ticket) = functions::call(&call) {
            // What comes back is a document or an error, whatever went in.
            let _ = blocking::wait(ticket);
        }
        let own = channels::open(1).unwrap_or(0);
        let _ = channels::send(own, &payload());
        channels::release(own);
        let _ = modules::invoke("io", "print", &payload());
        log::write(log::Level::Info, "", "garbage", &data, "");
    }
    if blocking::self_().is_empty() {
        breaches.push("it has no pid".into());
    }
}
