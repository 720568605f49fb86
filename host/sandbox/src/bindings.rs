//! What `wit/` says, as Rust types and traits. Both worlds share the interfaces, so both share the types.
#![expect(missing_docs, reason = "generated; the documentation stands in wit/")]

/// The world of runtimes that schedule inside, such as the Lua guest.
pub mod machine {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "machine",
        additional_derives: [PartialEq],
    });
}

/// The world of ordinary programs.
pub mod process {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "process",
        imports: {
            "moonlet:runtime/blocking.wait": async,
            "moonlet:runtime/blocking.receive": async,
            "moonlet:runtime/blocking.sleep": async,
        },
        exports: { default: async },
        with: {
            "moonlet:runtime/types": super::machine::moonlet::runtime::types,
            "moonlet:runtime/messages": super::machine::moonlet::runtime::messages,
            "moonlet:runtime/lifecycle": super::machine::moonlet::runtime::lifecycle,
            "moonlet:runtime/names": super::machine::moonlet::runtime::names,
            "moonlet:runtime/channels": super::machine::moonlet::runtime::channels,
            "moonlet:runtime/functions": super::machine::moonlet::runtime::functions,
            "moonlet:runtime/modules": super::machine::moonlet::runtime::modules,
            "moonlet:runtime/clock": super::machine::moonlet::runtime::clock,
            "moonlet:runtime/tickets": super::machine::moonlet::runtime::tickets,
            "moonlet:runtime/random": super::machine::moonlet::runtime::random,
            "moonlet:runtime/log": super::machine::moonlet::runtime::log,
        },
    });
}
