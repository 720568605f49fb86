//! Middleware `token_auth`: as whom a request acts, by its token. It refuses nobody; that is for the firewalls.

use http::header;

use super::Options;
use crate::query;
use crate::server::Context;

pub(super) struct TokenAuth {
    store: Option<String>,
    header: String,
    prefix: String,
    query: String,
    cookie: String,
}

impl TokenAuth {
    pub(super) fn new(options: &Options) -> Self {
        let store = options.get("token_auth.store").or_else(|| options.get("token_store")).map(str::to_owned);
        if store.is_none() {
            tracing::error!(target: "moonlet", "middleware `token_auth` knows no tokens: write `token_auth.store: ns:name` in its options");
        }
        Self {
            store,
            header: options.text("token_auth.header.name", "Authorization").to_ascii_lowercase(),
            // Options lose the spaces around them; the one behind the word is put back.
            prefix: options.text("token_auth.header.prefix", "Bearer"),
            query: options.text("token_auth.query.param", "x-auth-token"),
            cookie: options.text("token_auth.cookie.name", "x-auth-token"),
        }
    }

    pub(super) fn before(&self, context: &mut Context) {
        let (Some(store), Some(token)) = (&self.store, self.token(context)) else { return };
        let node = context.server.node.clone();
        // A store may lie in a database.
        let found = tokio::task::block_in_place(|| node.authenticate(store, &token));
        if let Some(authority) = found {
            context.authority = Some(authority);
        }
    }

    fn token(&self, context: &Context) -> Option<String> {
        let in_header = context.header(self.header.as_str()).and_then(|value| {
            let rest = match value.get(..self.prefix.len()) {
                Some(start) if start.eq_ignore_ascii_case(&self.prefix) => value.get(self.prefix.len()..)?,
                _ => return None,
            };
            Some(rest.trim().to_owned())
        });
        let in_query = || {
            let fields = query::fields(context.parts.uri.query().unwrap_or_default());
            fields.into_iter().find(|(name, _)| *name == self.query).map(|(_, value)| value)
        };
        let in_cookie = || {
            let cookies = context.header(header::COOKIE)?.split(';');
            cookies
                .filter_map(|cookie| cookie.trim().split_once('='))
                .find(|(name, _)| *name == self.cookie)
                .map(|(_, value)| value.to_owned())
        };
        in_header.or_else(in_query).or_else(in_cookie).filter(|token| !token.is_empty())
    }
}
