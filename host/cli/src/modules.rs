//! The modules of this build.

use std::sync::Arc;

use moonlet_gateway::Gateway;
use moonlet_modules::store::{FileStores, MemoryStores, SqlStores, StoreModule, Stores};
use moonlet_modules::{Databases, EnvModule, Quit, SecurityModule, System, Terminal};
use moonlet_registry::ModuleCatalog;
use moonlet_runtime::HostModule;

/// Modules that live in the guest's image. Of `time` and `io`, a part lives in the host.
const GUEST: &[&str] = &["base64", "ctx", "funcs", "hash", "io", "json", "logger", "time", "uuid"];

/// Modules that live in the host and are made here.
const HOST: &[&str] = &["env", "http", "security", "store", "system", "tty"];

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
pub(crate) fn host(terminal: &Arc<Terminal>, quit: Quit) -> Vec<Arc<dyn HostModule>> {
    let databases = Arc::new(Databases::default());
    let stores = Arc::new(Stores::new(vec![
        Box::new(MemoryStores),
        Box::new(SqlStores::new(Arc::clone(&databases))),
        Box::<FileStores>::default(),
    ]));
    let security = Arc::new(SecurityModule::new(Arc::clone(&stores)));
    let mut modules: Vec<Arc<dyn HostModule>> = vec![Arc::<Terminal>::clone(terminal), Arc::new(terminal.tty())];
    modules.push(Arc::new(Gateway::new()));
    modules.push(Arc::new(EnvModule));
    modules.push(security);
    modules.push(Arc::new(StoreModule::new(stores)));
    modules.push(Arc::new(System::new(quit)));
    modules.extend(moonlet_modules::core());
    modules.extend(moonlet_modules::data(&databases));
    modules.extend(moonlet_modules::network());
    modules.extend(moonlet_modules::computing());
    modules
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

    use std::fmt::Write as _;
    use std::path::{Path, PathBuf};
    use std::{fs, io};

    use moonlet_runtime::image_manifest;

    use super::*;

    /// What functions that live for one request use. Not all modules: a process that marks its image pays for each, and with a few more the
    /// table of strings in the image would need twice as many places, and so one page more of every process.
    const READY: &[&str] = &["env", "http", "queue", "security", "sql", "store"];

    /// Finds the file with the Lua of a module.
    fn find_file(folder: &Path, text: &str) -> io::Result<Option<PathBuf>> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::path);
        for entry in entries {
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                if let Some(found) = find_file(&path, text)? {
                    return Ok(Some(found));
                }
            } else if path.extension().is_some_and(|extension| extension == "lua") && fs::read_to_string(&path)? == text {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Writes down the modules that the image of the guest holds ready.
    fn written(root: &Path) -> String {
        let mut modules = host(&Arc::new(Terminal::new(Vec::new())), Box::new(|_| {}));
        modules.retain(|module| READY.contains(&module.name()));
        modules.sort_by(|one, other| one.name().cmp(other.name()));
        let mut text = String::from(
            "// The host modules that the image of the guest holds ready.\n\
             // Written by `MOONLET_UPDATE=1 cargo test -p moonlet-cli image`.\nimage_modules! {\n",
        );
        for module in modules {
            let Some(manifest) = image_manifest(module.as_ref()) else { continue };
            let _ = write!(text, "    \"{}\" r#\"{manifest}\"#", module.name());
            if let Some(glue) = module.glue() {
                let file = find_file(&root.join("host"), glue).unwrap().expect("the Lua of a module is a file");
                let _ = write!(text, " \"{}\"", file.strip_prefix(root).unwrap().display());
            }
            text.push_str(";\n");
        }
        text.push_str("}\n");
        text
    }

    #[test]
    fn the_image_holds_the_modules_of_this_build() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let file = root.join("guest/modules.rs");
        let text = written(root);
        if std::env::var_os("MOONLET_UPDATE").is_some() {
            fs::write(file, text).unwrap();
            return;
        }
        let message = "guest/modules.rs is out of date, and processes start slower: run this test with MOONLET_UPDATE=1";
        assert!(fs::read_to_string(file).unwrap() == text, "{message}");
    }
}
