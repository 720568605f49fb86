//! Module `crypto`: randomness, message authentication, encryption, tokens, keys from passwords, and hashes of passwords.

use hmac::{Hmac, KeyInit, Mac};
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, Value};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::fail::{internal, invalid, no_function};

mod argon2;
mod cipher;
mod derive;
mod jwt;
mod pem;
mod random;

/// The module.
#[derive(Debug, Default)]
pub(crate) struct Crypto;

const FUNCTIONS: &[&str] = &[
    "random.bytes",
    "random.string",
    "random.uuid",
    "hmac.sha256",
    "hmac.sha512",
    "encrypt.aes",
    "encrypt.chacha20",
    "decrypt.aes",
    "decrypt.chacha20",
    "jwt.encode",
    "jwt.verify",
    "pbkdf2",
    "argon2.hash",
    "argon2.verify",
    "constant_time_compare",
];

impl HostModule for Crypto {
    fn name(&self) -> &str {
        "crypto"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(FUNCTIONS).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("nested.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let args = Args::new(function, args);
        match function {
            "random.bytes" => Answer::one(Value::Binary(random::bytes(random::length(&args, 1, call.max_bytes())?)?)),
            "random.string" => {
                let length = random::length(&args, 1, call.max_bytes())?;
                Answer::one(Value::Binary(random::string(length, args.opt_bytes(2)?)?))
            }
            "random.uuid" => Answer::one(random::uuid()?),
            "hmac.sha256" => hmac::<Hmac<Sha256>>(&args),
            "hmac.sha512" => hmac::<Hmac<Sha512>>(&args),
            "encrypt.aes" | "encrypt.chacha20" => {
                let cipher = cipher::Cipher::choose(function, args.bytes(2)?)?;
                Answer::one(Value::Binary(cipher.encrypt(args.bytes(1)?, args.opt_bytes(3)?.unwrap_or_default())?))
            }
            "decrypt.aes" | "decrypt.chacha20" => {
                let cipher = cipher::Cipher::choose(function, args.bytes(2)?)?;
                Answer::one(Value::Binary(cipher.decrypt(args.bytes(1)?, args.opt_bytes(3)?.unwrap_or_default())?))
            }
            "jwt.encode" => Answer::one(jwt::encode(args.table(1)?, args.bytes(2)?, args.opt_text(3)?)?),
            "jwt.verify" => {
                let require_exp = args.opt_boolean(4)?.unwrap_or(true);
                Answer::one(jwt::verify(args.bytes(1)?, args.bytes(2)?, args.opt_text(3)?, require_exp)?)
            }
            "pbkdf2" => derive::pbkdf2(call, &args),
            "argon2.hash" => argon2::hash(call, &args),
            "argon2.verify" => argon2::verify(call, &args),
            "constant_time_compare" => Answer::one(bool::from(args.bytes(1)?.ct_eq(args.bytes(2)?))),
            other => Err(no_function("crypto", other)),
        }
    }
}

fn hmac<M: Mac + KeyInit>(args: &Args<'_>) -> Result<Answer, Fault> {
    let (key, data) = (args.bytes(1)?, args.bytes(2)?);
    if key.is_empty() {
        return Err(invalid("the key is empty").into());
    }
    let mut code = <M as KeyInit>::new_from_slice(key).map_err(|_| internal("the key does not fit"))?;
    code.update(data);
    Answer::one(hex(&code.finalize().into_bytes()))
}

/// Writes bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fills a buffer with random bytes.
fn fill(buffer: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(buffer).map_err(|error| internal(format!("failed to get random bytes: {error}")))
}
