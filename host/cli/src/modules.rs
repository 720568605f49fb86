//! The modules of this build.

use std::sync::Arc;

use moonlet_gateway::Gateway;
use moonlet_modules::store::{FileStores, MemoryStores, SqlStores, StoreModule, Stores};
use moonlet_modules::{Databases, EnvModule, Quit, SecurityModule, System};
use moonlet_registry::ModuleCatalog;
use moonlet_runtime::HostModule;

/// Modules that live in the guest's image. Of `time` and `io`, a part lives in the host.
const GUEST: &[&str] = &["base64", "ctx", "funcs", "hash", "io", "json", "logger", "time", "uuid"];

/// Modules that live in the host and are made here.
const HOST: &[&str] = &["env", "http", "security", "store", "system"];

/// Lists the modules that Lua code can use, sorted.
pub(crate) fn names() -> Vec<&'static str> {
    let lists = [GUEST, HOST, moonlet_modules::CORE, moonlet_modules::DATA, moonlet_modules::NETWORK, moonlet_modules::COMPUTING];
    let mut names = lists.concat();
    names.sort_unstable();
    names
}

/// Names the modules that Lua code can use.
pub(crate) fn catalog() -> ModuleCatalog {
    ModuleCatalog::new(names())
}

/// Makes the modules that live in the host; `quit` ends the node. Their names belong into the catalog, too.
pub(crate) fn host(terminal: Arc<dyn HostModule>, quit: Quit) -> Vec<Arc<dyn HostModule>> {
    let databases = Arc::new(Databases::default());
    let stores = Arc::new(Stores::new(vec![
        Box::new(MemoryStores),
        Box::new(SqlStores::new(Arc::clone(&databases))),
        Box::<FileStores>::default(),
    ]));
    let security = Arc::new(SecurityModule::new(Arc::clone(&stores)));
    let mut modules = vec![terminal, Arc::new(Gateway::new()), Arc::new(EnvModule), security, Arc::new(StoreModule::new(stores))];
    modules.push(Arc::new(System::new(quit)));
    modules.extend(moonlet_modules::core());
    modules.extend(moonlet_modules::data(&databases));
    modules.extend(moonlet_modules::network());
    modules.extend(moonlet_modules::computing());
    modules
}
