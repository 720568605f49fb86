//! Module `templates`: pages and letters from templates in the language of Jet.
//!
//! A template has no effect and always ends: it has the steps of one expression, and its output is no longer than one answer may be.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_registry::Entry;
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use serde_json::Value as Json;

use crate::deep;
use crate::fail::{internal, invalid, no_function, not_found, shown};

mod parse;
mod render;
mod split;

use parse::Template;
use split::Delimiters;

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Templates;

impl HostModule for Templates {
    fn name(&self) -> &str {
        "templates"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(&["get", "render", "released"]).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("templates/templates.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function {
            "get" => {
                let args = Args::new(function, args);
                let set = find_set(call, args.text(1)?)?;
                Answer::one(set.id.as_str())
            }
            "released" => Err(internal("the set of templates was released").into()),
            "render" => {
                let (set, args) = Args::method("Set:render", args);
                let set = set.as_str().ok_or_else(|| Fault::Raised("Set expected: call this with `:`".to_owned()))?;
                let name = args.text(1)?;
                args.opt_table(2)?;
                if name.is_empty() {
                    return Err(invalid("the name of the template is empty").into());
                }
                let set = Set::new(call, &*find_set(call, set)?);
                let (data, most) = (args.get(2), call.max_bytes());
                Answer::one(deep::run(|| render::render(&set, name, data, most))??)
            }
            other => Err(no_function("templates", other)),
        }
    }
}

fn find_set(call: &ModuleCall<'_>, id: &str) -> Result<Arc<Entry>, Error> {
    if id.is_empty() {
        return Err(invalid("the id of the set of templates is empty"));
    }
    let id = call.resolve(id);
    call.check("template.get", &id)?;
    call.check_readable(&id)?;
    crate::fail::entry(call, &id, "a set of templates (kind `template.set`)", |kind| kind == "template.set")
}

/// A set with its templates.
struct Set {
    id: String,
    sources: BTreeMap<String, Arc<Entry>>,
    delimiters: Delimiters,
    extensions: Vec<String>,
    globals: Json,
}

impl Set {
    fn new(call: &ModuleCall<'_>, entry: &Entry) -> Self {
        let id = entry.id.as_str().to_owned();
        let namespace_of = |id: &str| id.split_once(':').map_or("", |(namespace, _)| namespace).to_owned();
        let mut sources = BTreeMap::new();
        for template in call.registry().of_kind("template.jet") {
            let set = template.data.get("set").and_then(Json::as_str).unwrap_or("");
            // Whoever renders a set gets the text of its templates, wherever they stand.
            if call.check_readable(template.id.as_str()).is_err() {
                continue;
            }
            let own = || format!("{}:{set}", namespace_of(template.id.as_str()));
            if set == id || (!set.contains(':') && own() == id) {
                let named = template.meta.get("name").and_then(Json::as_str);
                let name = named.unwrap_or_else(|| template.id.as_str().split_once(':').map_or("", |(_, name)| name));
                sources.insert(name.trim_start_matches('/').to_owned(), Arc::clone(template));
            }
        }
        let engine = entry.data.get("engine").cloned().unwrap_or_default();
        let extensions = engine.get("extensions").and_then(Json::as_array).map(|names| {
            let names = names.iter().filter_map(Json::as_str);
            names.map(str::to_owned).collect()
        });
        Self {
            id,
            sources,
            delimiters: Delimiters::read(engine.get("delimiters").unwrap_or(&Json::Null)),
            extensions: extensions.unwrap_or_else(|| [".jet", ".html.jet", ".jet.html"].map(str::to_owned).to_vec()),
            globals: engine.get("globals").cloned().unwrap_or_default(),
        }
    }

    /// Finds a template by its name, with or without an extension.
    fn find(&self, name: &str) -> Result<Arc<Template>, Error> {
        let plain = name.trim_start_matches('/');
        let without = self.extensions.iter().find_map(|extension| plain.strip_suffix(extension.as_str()));
        let with = self.extensions.iter().map(|extension| format!("{plain}{extension}"));
        let names = [Some(plain.to_owned()), without.map(str::to_owned)].into_iter().flatten().chain(with);
        let entry = names.filter_map(|name| self.sources.get(&name)).next();
        let entry = entry.ok_or_else(|| not_found(format!("the set `{}` has no template `{}`", self.id, shown(name))))?;
        let source = entry.data.get("source").and_then(Json::as_str).unwrap_or("");
        parse::template(entry.id.as_str(), source, &self.delimiters)
    }
}
