//! Which endpoint or file a request goes to.
//!
//! A table is made from one snapshot of the registry and does not change; the server swaps it as a whole. Among the patterns that match a
//! path, one with text in a place wins over one with a parameter there, and both over one that takes the rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_registry::{EntryId, HttpEndpoint, HttpRouter, HttpStatic, Snapshot};

use crate::files::Files;
use crate::middleware::{Chain, Kit};
use crate::query::decode;

/// Parts that a path may have and still be looked for.
const MAX_PARTS: usize = 256;

/// The routes of one server.
#[derive(Default)]
pub(crate) struct Table {
    root: Node,
    /// With their prefixes as parts, the longest first.
    routers: Vec<(Vec<String>, Arc<Router>)>,
    files: Vec<(Vec<String>, Arc<Mount>)>,
}

/// A router with its middleware.
pub(crate) struct Router {
    pub(crate) before: Chain,
    pub(crate) after: Chain,
}

/// Files with their middleware.
pub(crate) struct Mount {
    pub(crate) files: Files,
    pub(crate) before: Chain,
    /// Where they are, as a pattern.
    pub(crate) pattern: Arc<str>,
}

/// One endpoint.
pub(crate) struct Route {
    pub(crate) id: EntryId,
    pub(crate) func: String,
    pub(crate) router: Arc<Router>,
    /// The pattern as text, for logs and numbers.
    pub(crate) pattern: Arc<str>,
    /// The names of the parameters; none for the rest of a path, which Lua does not see.
    names: Vec<Option<String>>,
}

#[derive(Default)]
struct Node {
    texts: BTreeMap<String, Node>,
    parameter: Option<Box<Node>>,
    rest: BTreeMap<String, Arc<Route>>,
    here: BTreeMap<String, Arc<Route>>,
}

/// Parameters of a path by name.
pub(crate) type Params = Vec<(String, String)>;

/// Where a request goes.
pub(crate) enum Target {
    /// To a function.
    Route(Arc<Route>, Params),
    /// The path has endpoints of this router for these methods only.
    NotAllowed(Arc<Router>, Vec<String>),
    /// To files, with the path behind their own.
    Files(Arc<Mount>, Vec<String>),
    /// Nowhere; the router whose prefix fits still has its say.
    Nowhere(Option<Arc<Router>>),
}

impl Table {
    /// Makes the table of a server.
    pub(crate) fn build(snapshot: &Snapshot, server: &EntryId, kit: &Kit) -> Self {
        let mut table = Self::default();
        let mut routers = BTreeMap::new();
        for view in snapshot.of_kind("http.router").filter_map(|entry| HttpRouter::new(entry).ok()) {
            if view.server != *server {
                continue;
            }
            let router = Arc::new(Router { before: kit.chain(&view.before), after: kit.chain(&view.after) });
            let prefix: Vec<String> = parts(&view.prefix).map(str::to_owned).collect();
            table.routers.push((prefix.clone(), Arc::clone(&router)));
            routers.insert(view.id, (prefix, router));
        }
        for view in snapshot.of_kind("http.endpoint").filter_map(|entry| HttpEndpoint::new(entry).ok()) {
            if let Some((prefix, router)) = routers.get(&view.router) {
                table.add(view, prefix, router);
            }
        }
        for view in snapshot.of_kind("http.static").filter_map(|entry| HttpStatic::new(entry).ok()) {
            if view.server == *server {
                let path: Vec<String> = parts(&view.path).map(str::to_owned).collect();
                let (before, files) = (kit.chain(&view.before), Files::new(&view, snapshot, kit.project()));
                let pattern = path.iter().map(String::as_str).chain(["{path...}"]).collect::<Vec<_>>().join("/");
                table.files.push((path, Arc::new(Mount { files, before, pattern: format!("/{pattern}").into() })));
            }
        }
        table.routers.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        table.files.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        table
    }

    fn add(&mut self, view: HttpEndpoint, prefix: &[String], router: &Arc<Router>) {
        let mut node = &mut self.root;
        let mut names = Vec::new();
        let mut rest = false;
        for part in prefix.iter().map(String::as_str).chain(parts(&view.path)) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) if name.ends_with("...") => {
                    names.push(None);
                    rest = true;
                    break;
                }
                Some(name) => {
                    names.push(Some(name.to_owned()));
                    node = node.parameter.get_or_insert_default();
                }
                None => node = node.texts.entry(part.to_owned()).or_default(),
            }
        }
        let pattern = format!("/{}", prefix.iter().map(String::as_str).chain(parts(&view.path)).collect::<Vec<_>>().join("/"));
        let (id, func) = (view.id, view.func.to_string());
        let route = Route { id, func, router: Arc::clone(router), pattern: pattern.into(), names };
        let methods = if rest { &mut node.rest } else { &mut node.here };
        if let Some(other) = methods.get(&view.method) {
            let (one, other) = (&other.id, &route.id);
            tracing::warn!(target: "moonlet", "`{one}` and `{other}` answer the same requests: only `{one}` is used");
            return;
        }
        methods.insert(view.method, Arc::new(route));
    }

    /// Finds where a request goes.
    pub(crate) fn find(&self, method: &str, path: &str) -> Target {
        let decoded: Vec<String> = parts(path).take(MAX_PARTS + 1).map(|part| decode(part, false)).collect();
        if decoded.len() > MAX_PARTS {
            return Target::Nowhere(None);
        }
        let mut search = Search { method, values: Vec::new(), allowed: Vec::new(), router: None };
        if let Some(route) = search.find(&self.root, &decoded) {
            let named = route.names.iter().zip(&search.values).filter_map(|(name, value)| Some((name.clone()?, value.clone())));
            return Target::Route(Arc::clone(route), named.collect());
        }
        if let Some(router) = search.router {
            let mut allowed = search.allowed;
            allowed.sort();
            allowed.dedup();
            return Target::NotAllowed(router, allowed);
        }
        if let Some((prefix, mount)) = self.files.iter().find(|(prefix, _)| decoded.starts_with(prefix)) {
            return Target::Files(Arc::clone(mount), decoded.get(prefix.len()..).unwrap_or_default().to_vec());
        }
        let router = self.routers.iter().find(|(prefix, _)| decoded.starts_with(prefix));
        Target::Nowhere(router.map(|(_, router)| Arc::clone(router)))
    }
}

struct Search<'a> {
    method: &'a str,
    values: Vec<String>,
    allowed: Vec<String>,
    router: Option<Arc<Router>>,
}

impl Search<'_> {
    fn find<'t>(&mut self, node: &'t Node, path: &[String]) -> Option<&'t Arc<Route>> {
        let Some((first, others)) = path.split_first() else {
            return self.choose(&node.here).or_else(|| self.choose(&node.rest));
        };
        if let Some(next) = node.texts.get(first)
            && let Some(found) = self.find(next, others)
        {
            return Some(found);
        }
        if let Some(next) = &node.parameter {
            let count = self.values.len();
            self.values.push(first.clone());
            if let Some(found) = self.find(next, others) {
                return Some(found);
            }
            self.values.truncate(count);
        }
        self.choose(&node.rest)
    }

    fn choose<'t>(&mut self, methods: &'t BTreeMap<String, Arc<Route>>) -> Option<&'t Arc<Route>> {
        let found = methods.get(self.method);
        // Who answers GET answers HEAD, too; the server leaves the body out.
        let found = found.or_else(|| if self.method == "HEAD" { methods.get("GET") } else { None });
        if found.is_none() {
            self.allowed.extend(methods.keys().cloned());
            if let (None, Some(route)) = (&self.router, methods.values().next()) {
                self.router = Some(Arc::clone(&route.router));
            }
        }
        found
    }
}

/// Cuts a path at its slashes; empty parts do not count.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}
