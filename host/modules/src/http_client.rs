//! Module `http_client`: requests to other servers.
//!
//! Where a process may connect to is decided after names were resolved, for every address and every hop; see `network`. Connections that
//! are kept for later belong to one process host, and are never used for another.

use std::sync::Arc;

use moonlet_runtime::{
    Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, SCANNER_METHODS, STREAM_METHODS, Value, document, invoke_stream,
};

pub(crate) mod address;
mod body;
mod multipart;
pub(crate) mod network;
mod options;
pub(crate) mod overlay;
mod pool;
mod send;
pub(crate) mod tls;
mod trace;
pub(crate) mod uri;

use crate::archive::Spooled;
use options::Plan;
use pool::Pool;
use send::{CONNECTION, Sender};

/// What a reader of Lua was read into.
const SPOOL: &str = "Spool";
/// Requests of one batch: each is a connection.
const MAX_BATCH: usize = 100;

/// Requests to other servers.
#[derive(Default)]
pub(crate) struct HttpClient {
    pool: Arc<Pool>,
}

impl HttpClient {
    /// Makes the module, without any connection.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn request(&self, call: &ModuleCall<'_>, method: &str, url: &str, options: &Value) -> Result<Answer, Fault> {
        let plan = Plan::read(call, method, url, options)?;
        permit(call, &plan)?;
        let sender = Sender::new(call, Arc::clone(&self.pool), plan.overlay.as_deref())?;
        let (keeper, most) = (call.keeper(), call.max_bytes().saturating_sub(1024));
        call.run_async(async move {
            let streams = plan.stream;
            let response = sender.send(plan, most).await?;
            let stream = match response.stream {
                Some(stream) if streams => Some(keeper.keep_heavy("Stream", Arc::new(stream), CONNECTION)?),
                _ => None,
            };
            Ok(vec![response.head.into_value(response.body, stream)])
        })
    }

    fn batch(&self, call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
        let list = args.list(1)?;
        if list.len() > MAX_BATCH {
            return Err(invalid(format!("a batch has at most {MAX_BATCH} requests, and this one has {}", list.len())).into());
        }
        let mut plans = Vec::new();
        for (index, item) in list.iter().enumerate() {
            let fields = match item {
                Value::Array(fields) => fields.as_slice(),
                _ => &[],
            };
            let text = |place: usize| fields.get(place).and_then(Value::as_str);
            let (Some(method), Some(url)) = (text(0), text(1)) else {
                return Err(invalid(format!("request {} of the batch must be {{method, url, options}}", index + 1)).into());
            };
            let plan = Plan::read(call, method, url, fields.get(2).unwrap_or(&Value::Nil))?;
            if plan.stream {
                return Err(invalid("a batch cannot stream: leave `stream` out, or make the request alone").into());
            }
            let sender = permit(call, &plan).and_then(|()| Sender::new(call, Arc::clone(&self.pool), plan.overlay.as_deref()));
            plans.push(sender.map(|sender| (sender, plan)));
        }
        let most = (call.max_bytes() / plans.len().max(1)).saturating_sub(1024);
        call.run_async(async move {
            let work = plans.into_iter().map(|plan| async move {
                let (sender, plan) = plan?;
                sender.send(plan, most).await
            });
            let results = futures_util::future::join_all(work).await;
            let failed = results.iter().any(Result::is_err);
            let (mut responses, mut errors) = (Vec::new(), Vec::new());
            for result in results {
                match result {
                    Ok(response) => {
                        responses.push(response.head.into_value(response.body, None));
                        errors.push(Value::Boolean(false));
                    }
                    Err(error) => {
                        responses.push(Value::Boolean(false));
                        errors.push(error_value(&error));
                    }
                }
            }
            Ok(vec![Value::Array(responses), if failed { Value::Array(errors) } else { Value::Nil }])
        })
    }
}

/// Asks the policies about a request before anything happens for it.
fn permit(call: &ModuleCall<'_>, plan: &Plan) -> Result<(), Error> {
    call.check("http_client.request", &plan.url.text)?;
    if let Some(path) = &plan.unix_socket {
        if call.allowed_network().is_some() {
            let message = format!(
                "not allowed: the process host `{}` bounds the network, and no target of `allow.network` is a Unix socket",
                call.host()
            );
            return Err(Error::new("PermissionDenied", message).with_retryable(false));
        }
        call.check("http_client.unix_socket", path)?;
    }
    if let Some(network) = &plan.overlay {
        call.check("network.select", network)?;
        call.check_namespace(network)?;
    }
    if plan.tls.insecure {
        call.check("http_client.insecure_tls", &plan.url.text)?;
    }
    Ok(())
}

/// Writes an error as it stands in a table.
fn error_value(error: &Error) -> Value {
    let mut fields = vec![("kind", Value::from(error.kind.as_str())), ("message", error.message.as_str().into())];
    if let Some(retryable) = error.retryable {
        fields.push(("retryable", retryable.into()));
    }
    Value::Ext(1, document::map(&fields))
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}

impl HostModule for HttpClient {
    fn name(&self) -> &str {
        "http_client"
    }

    fn manifest(&self) -> Value {
        Manifest::new()
            .functions(&[
                "get",
                "post",
                "put",
                "patch",
                "delete",
                "head",
                "options",
                "request",
                "request_batch",
                "encode_uri",
                "decode_uri",
                "sends",
                "spool",
            ])
            .resource(SPOOL, &["add"])
            .resource("Stream", STREAM_METHODS)
            .resource("Scanner", SCANNER_METHODS)
            .build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("http_client/glue.lua"))
    }

    fn part(&self, name: &str) -> Option<&'static str> {
        (name == "readers").then_some(concat!(include_str!("streams.lua"), include_str!("http_client/readers.lua")))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        if function == "Spool:add" {
            let (spool, args) = call.method::<Spooled>(SPOOL, function, args)?;
            let bytes = args.bytes(1)?.to_vec();
            return call.run_blocking(move || spool.add(&bytes).map(|()| vec![true.into()]));
        }
        if function.contains(':') {
            let unknown = || Err(Error::new("NotFound", format!("module `http_client` has no `{function}`")).into());
            return invoke_stream(call, function, args).unwrap_or_else(unknown);
        }
        let args = Args::new(function, args);
        match function {
            "get" | "post" | "put" | "patch" | "delete" | "head" | "options" => {
                args.opt_table(2)?;
                self.request(call, &function.to_ascii_uppercase(), args.text(1)?, args.get(2))
            }
            "request" => {
                args.opt_table(3)?;
                self.request(call, args.text(1)?, args.text(2)?, args.get(3))
            }
            "request_batch" => self.batch(call, &args),
            "spool" => Answer::one(call.keep(SPOOL, Arc::<Spooled>::default())?),
            "sends" => Answer::one(options::reader(call, args.get(1)).is_some()),
            "encode_uri" => Answer::one(uri::encode(args.bytes(1)?)),
            "decode_uri" => match uri::decode(args.bytes(1)?) {
                Some(bytes) => Answer::one(Value::Binary(bytes)),
                None => Err(invalid("invalid URL escape: a percent sign is followed by two hexadecimal digits").into()),
            },
            other => Err(Error::new("NotFound", format!("module `http_client` has no function `{other}`")).into()),
        }
    }

    fn stop(&self) {
        self.pool.clear();
    }
}
