//! Middleware `endpoint_firewall` and `resource_firewall`: who may use an endpoint.

use http::StatusCode;

use super::Options;
use crate::answer::{self, Answer};
use crate::server::Context;

pub(super) struct Firewall {
    action: String,
    target: Target,
}

enum Target {
    /// The endpoint itself.
    Endpoint,
    /// Something that the options name.
    Resource(String),
    /// Nothing, because the options name nothing: nobody passes.
    Missing,
}

impl Firewall {
    pub(super) fn endpoint(options: &Options) -> Self {
        Self { action: options.text("endpoint_firewall.action", "access"), target: Target::Endpoint }
    }

    pub(super) fn resource(options: &Options) -> Self {
        let target = match options.get("resource_firewall.target") {
            Some(target) => Target::Resource(target.to_owned()),
            None => {
                tracing::error!(
                    target: "moonlet",
                    "middleware `resource_firewall` lets nobody pass: write `resource_firewall.target: ns:name` in its options"
                );
                Target::Missing
            }
        };
        Self { action: options.text("resource_firewall.action", "access"), target }
    }

    pub(super) fn before(&self, context: &Context) -> Option<Answer> {
        let Some(authority) = context.authority.as_ref().filter(|authority| authority.has_actor()) else {
            return Some(answer::problem(StatusCode::UNAUTHORIZED, "who are you? a valid token is needed here"));
        };
        let endpoint = context.route.as_ref().map(|route| route.id.to_string());
        let resource = match &self.target {
            Target::Endpoint => endpoint,
            Target::Resource(target) => Some(target.clone()),
            Target::Missing => None,
        };
        let meta = serde_json::json!({ "method": context.parts.method.as_str(), "path": context.parts.uri.path() });
        if resource.as_deref().is_some_and(|resource| authority.can(&self.action, resource, Some(&meta))) {
            return None;
        }
        let (action, remote) = (self.action.as_str(), context.remote.as_str());
        tracing::warn!(target: "moonlet::audit", action, resource, remote, "denied");
        Some(answer::problem(StatusCode::FORBIDDEN, "you may not do this"))
    }
}
