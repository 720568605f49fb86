//! Module `yaml`: documents to values and back.

use moonlet_runtime::{Answer, Args, Fault, HostModule, Manifest, ModuleCall, Value};

use crate::fail::{invalid, no_function};
use crate::heavy;

mod decode;
mod encode;
mod scalar;

use encode::Layout;

/// Bytes in memory for each byte of a document, at most: `1,` is a value.
const IN_MEMORY: usize = 16;
/// Documents of so many bytes are not worth an account.
const SMALL: usize = 16 << 10;
/// Tables that weigh no more are written where they are asked for.
const QUICK: usize = 64 << 10;

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Yaml;

impl HostModule for Yaml {
    fn name(&self) -> &str {
        "yaml"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(&["encode", "decode"]).build()
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let mut args = Args::new(function, args);
        match function {
            "encode" => {
                let layout = Layout::read(&args)?;
                if !matches!(args.get(1), Value::Map(_) | Value::Array(_)) {
                    return Err(invalid("`encode` takes a table").into());
                }
                let (value, most) = (args.take(1), call.max_bytes());
                if call.weight() <= QUICK {
                    return Answer::one(encode::encode(&value, &layout, most, None)?);
                }
                heavy::run(call, move |canceled| Ok(vec![encode::encode(&value, &layout, most, Some(canceled))?.into()]))
            }
            "decode" => match args.get(1) {
                Value::String(text) => {
                    let text = text.as_str().ok_or_else(|| invalid("the document is not valid UTF-8"))?;
                    // Held until the values have become an answer.
                    let freight = call.freight();
                    if text.len() <= SMALL {
                        return Answer::one(decode::decode(text)?);
                    }
                    freight.add(text.len().saturating_mul(IN_MEMORY))?;
                    let text = text.to_owned();
                    heavy::run(call, move |_| {
                        let _held = freight;
                        Ok(vec![decode::decode(&text)?])
                    })
                }
                Value::Binary(_) => Err(invalid("the document is not valid UTF-8").into()),
                _ => Err(invalid("`decode` takes a string").into()),
            },
            other => Err(no_function("yaml", other)),
        }
    }
}
