//! Middleware `cors`: who may use the answers in a browser.

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::{Options, Origins};
use crate::answer::{self, Answer};
use crate::server::Context;

const REQUEST_PRIVATE_NETWORK: &str = "access-control-request-private-network";
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

pub(super) struct Cors {
    origins: Origins,
    methods: String,
    headers: String,
    expose: Option<String>,
    credentials: bool,
    max_age: String,
    private_network: bool,
}

impl Cors {
    pub(super) fn new(options: &Options) -> Self {
        let origins = options.list("cors.allow.origins");
        Self {
            origins: Origins::new(if origins.is_empty() { vec!["*".to_owned()] } else { origins }),
            methods: options.text("cors.allow.methods", "GET,POST,PUT,DELETE,OPTIONS,PATCH"),
            headers: options.text("cors.allow.headers", "Origin,Content-Type,Accept,Authorization,X-Requested-With"),
            expose: options.get("cors.expose.headers").map(str::to_owned),
            credentials: options.flag("cors.allow.credentials"),
            max_age: options.text("cors.max.age", "86400"),
            private_network: options.flag("cors.allow.private.network"),
        }
    }

    /// Answers what a browser asks before a request.
    pub(super) fn before(&self, context: &Context) -> Option<Answer> {
        if context.parts.method != Method::OPTIONS {
            return None;
        }
        let asks = context.parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks && (context.route.is_some() || context.header(header::ORIGIN).is_none()) {
            return None;
        }
        let mut answer = answer::empty(StatusCode::NO_CONTENT);
        if self.allow(context, &mut answer) {
            set(&mut answer, header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods);
            set(&mut answer, header::ACCESS_CONTROL_ALLOW_HEADERS, &self.headers);
            set(&mut answer, header::ACCESS_CONTROL_MAX_AGE, &self.max_age);
            if self.private_network && context.header(REQUEST_PRIVATE_NETWORK) == Some("true") {
                set(&mut answer, ALLOW_PRIVATE_NETWORK, "true");
            }
        }
        Some(answer)
    }

    pub(super) fn after(&self, context: &Context, mut answer: Answer) -> Answer {
        // What the program says itself holds.
        if !answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
            && self.allow(context, &mut answer)
            && let Some(expose) = &self.expose
        {
            set(&mut answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, expose);
        }
        answer
    }

    fn allow(&self, context: &Context, answer: &mut Answer) -> bool {
        let Some(origin) = context.header(header::ORIGIN) else {
            if self.origins.any() && !self.credentials {
                set(answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
            }
            return true;
        };
        if self.origins.any() && !self.credentials {
            set(answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
            return true;
        }
        answer.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
        if !self.origins.allow(origin) {
            return false;
        }
        set(answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            set(answer, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        true
    }
}

fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
