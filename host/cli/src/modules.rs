//! The modules of this build.

use std::sync::Arc;

use moonlet_modules::Databases;
use moonlet_modules::store::{MemoryStores, StoreModule, Stores};
use moonlet_registry::ModuleCatalog;
use moonlet_runtime::HostModule;

/// Modules that live in the guest's image.
const GUEST: &[&str] = &["base64", "ctx", "funcs", "hash", "io", "json", "logger", "time", "uuid"];

/// Modules that live in the host.
const HOST: &[&str] = &["store"];

/// Names the modules that Lua code can use.
pub(crate) fn catalog() -> ModuleCatalog {
    ModuleCatalog::new(GUEST.iter().chain(HOST).chain(moonlet_modules::CORE).chain(moonlet_modules::DATA).copied())
}

/// Makes the modules that live in the host. Their names belong into the catalog, too.
pub(crate) fn host(terminal: Arc<dyn HostModule>) -> Vec<Arc<dyn HostModule>> {
    let databases = Arc::new(Databases::default());
    let stores = Arc::new(Stores::new(vec![Box::new(MemoryStores)]));
    let mut modules = vec![terminal, Arc::new(StoreModule::new(stores))];
    modules.extend(moonlet_modules::core());
    modules.extend(moonlet_modules::data(&databases));
    modules
}
