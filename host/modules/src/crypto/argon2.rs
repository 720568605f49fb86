//! Passwords that are kept as hashes: Argon2id (RFC 9106), written as PHC strings.
//!
//! What a hash costs is up to whoever made it, and a program may make hashes up: so every number in one is bounded, the work is done
//! beside the workers, and its memory is charged to the host of the process.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use moonlet_runtime::{Answer, Args, Error, Fault, ModuleCall, Value};
use subtle::ConstantTimeEq;

use super::fill;
use crate::fail::{internal, invalid, shown};
use crate::{base64, heavy};

/// What a hash costs unless a program says otherwise: the second of the choices that OWASP gives in its Password Storage Cheat Sheet.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// The length of new salts and hashes, as RFC 9106 recommends.
const SALT: usize = 16;
const HASH: usize = 32;

/// The most memory of one hash in KiB: RFC 9106 recommends this much where memory is scarce. A node makes as many hashes at a time as
/// it has cores.
const MAX_MEMORY: u32 = 64 << 10;
/// The most passes over the memory: with the most memory, they take about a second.
const MAX_PASSES: u32 = 16;
/// The most lanes. They are filled one after the other, so more of them cost nothing.
const MAX_LANES: u32 = 16;
/// The longest password: hashing it costs nothing beside the rest.
const MAX_PASSWORD: usize = 4 << 10;
/// The shortest and the longest salt and hash of a PHC string.
const MIN_SALT: usize = 8;
const MIN_HASH: usize = 12;
const MAX_PART: usize = 64;
/// The longest PHC string.
const MAX_TEXT: usize = 512;

/// `argon2.hash(password[, options])`.
pub(super) fn hash(call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
    let password = password(args)?;
    let costs = Costs::read(args.opt_table(2)?)?;
    let mut salt = vec![0; SALT];
    fill(&mut salt)?;
    let phc = Phc { costs, salt, hash: vec![0; HASH] };
    run(call, password, phc, |phc, hash| Phc { hash, ..phc }.write().into())
}

/// `argon2.verify(password, phc)`.
pub(super) fn verify(call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
    let password = password(args)?;
    let phc = Phc::read(args.text(2)?).map_err(|problem| invalid(format!("this is no Argon2id hash: {problem}")))?;
    run(call, password, phc, |phc, hash| bool::from(hash.ct_eq(&phc.hash)).into())
}

fn password(args: &Args<'_>) -> Result<Vec<u8>, Fault> {
    let password = args.bytes(1)?;
    if password.is_empty() || password.len() > MAX_PASSWORD {
        return Err(invalid(format!("a password has 1 to {MAX_PASSWORD} bytes, not {}", password.len())).into());
    }
    Ok(password.to_vec())
}

/// Hashes beside the workers, and answers with what comes of it.
fn run(call: &ModuleCall<'_>, password: Vec<u8>, phc: Phc, answer: fn(Phc, Vec<u8>) -> Value) -> Result<Answer, Fault> {
    let freight = call.freight();
    heavy::run(call, move |canceled| {
        if canceled.is_set() {
            return Err(Error::new("Canceled", "nobody waits for the hash any more"));
        }
        freight.add(usize::try_from(phc.costs.memory).unwrap_or(usize::MAX).saturating_mul(1024))?;
        let hash = phc.compute(&password)?;
        Ok(vec![answer(phc, hash)])
    })
}

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Costs {
    /// In KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Costs {
    /// Reads options.
    fn read(options: &[(Value, Value)]) -> Result<Self, Error> {
        let mut costs = Self { memory: MEMORY, passes: PASSES, lanes: LANES };
        for (name, value) in options {
            let name = name.as_str().unwrap_or_default();
            let place = match name {
                "memory" => &mut costs.memory,
                "time" => &mut costs.passes,
                "parallelism" => &mut costs.lanes,
                other => {
                    let known = "there are `memory`, `time` and `parallelism`";
                    return Err(invalid(format!("there is no option `{}`: {known}", shown(other))));
                }
            };
            let number =
                value.as_u64().or_else(|| value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as u64));
            let number = number.and_then(|number| u32::try_from(number).ok());
            *place = number.ok_or_else(|| invalid(format!("`{name}` is a whole number")))?;
        }
        costs.check().map_err(invalid)?;
        Ok(costs)
    }

    /// Says which number is too small or too large.
    fn check(self) -> Result<(), String> {
        let within = |name: &str, number: u32, least: u32, most: u32| {
            if (least..=most).contains(&number) {
                Ok(())
            } else {
                Err(format!("`{name}` is {number}; it must be from {least} to {most}"))
            }
        };
        within("parallelism", self.lanes, 1, MAX_LANES)?;
        within("time", self.passes, 1, MAX_PASSES)?;
        within("memory", self.memory, 8 * self.lanes, MAX_MEMORY)
    }
}

/// A hash with all that is needed to make it again.
#[derive(Debug, PartialEq, Eq)]
struct Phc {
    costs: Costs,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Phc {
    /// Reads a PHC string such as `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`; an error says what is wrong with it.
    fn read(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err(format!("it has more than {MAX_TEXT} bytes"));
        }
        let mut parts = text.split('$');
        if parts.next() != Some("") || parts.next() != Some("argon2id") {
            return Err("it does not begin with `$argon2id$`".to_owned());
        }
        if parts.next() != Some("v=19") {
            return Err("its version is not `v=19`".to_owned());
        }
        let costs = parts.next().and_then(costs).ok_or_else(|| "it has no costs such as `m=19456,t=2,p=1`".to_owned())?;
        costs.check()?;
        let mut bytes = |what: &str, least: usize| {
            let text = parts.next().filter(|text| !text.bytes().any(|byte| byte == b'=' || byte.is_ascii_whitespace()));
            let bytes = text.and_then(base64::decode).filter(|bytes| (least..=MAX_PART).contains(&bytes.len()));
            bytes.ok_or_else(|| format!("its {what} is not {least} to {MAX_PART} bytes in base64"))
        };
        let (salt, hash) = (bytes("salt", MIN_SALT)?, bytes("hash", MIN_HASH)?);
        if parts.next().is_some() {
            return Err("it goes on after the hash".to_owned());
        }
        Ok(Self { costs, salt, hash })
    }

    fn write(&self) -> String {
        let Costs { memory, passes, lanes } = self.costs;
        let text = |bytes: &[u8]| base64::encode(bytes).trim_end_matches('=').to_owned();
        format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}", text(&self.salt), text(&self.hash))
    }

    /// Hashes a password with the costs, the salt and the length of this one.
    fn compute(&self, password: &[u8]) -> Result<Vec<u8>, Error> {
        let failed = |error: argon2::Error| internal(format!("failed to hash the password: {error}"));
        let Costs { memory, passes, lanes } = self.costs;
        let params = Params::new(memory, passes, lanes, Some(self.hash.len())).map_err(failed)?;
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(params.block_count()).map_err(|_| internal("there is no memory for the hash"))?;
        blocks.resize(params.block_count(), Block::new());
        let mut hash = vec![0; self.hash.len()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into_with_memory(password, &self.salt, &mut hash, &mut blocks).map_err(failed)?;
        Ok(hash)
    }
}

/// Reads `m=..,t=..,p=..`, in this order, as the reference implementation writes it.
fn costs(text: &str) -> Option<Costs> {
    let mut fields = text.split(',');
    let mut number = |name: &str| {
        let digits = fields.next()?.strip_prefix(name)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let costs = Costs { memory: number("m=")?, passes: number("t=")?, lanes: number("p=")? };
    fields.next().is_none().then_some(costs)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// From the tests of the reference implementation: the password is `password`, the salt `somesalt`.
    const KNOWN: [&str; 2] = [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ];

    #[test]
    fn hashes_are_those_of_the_reference_implementation() {
        for known in KNOWN {
            let phc = Phc::read(known).unwrap();
            assert_eq!(phc.salt, b"somesalt");
            assert_eq!(phc.compute(b"password").unwrap(), phc.hash, "{known}");
            assert_ne!(phc.compute(b"passwort").unwrap(), phc.hash);
            assert_eq!(phc.write(), known);
        }
    }

    #[test]
    fn what_is_no_hash_or_costs_too_much_is_refused() {
        let salt_and_hash = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let costs = |costs: &str| Phc::read(&format!("$argon2id$v=19${costs}{salt_and_hash}")).unwrap_err();
        assert_eq!(costs("m=65537,t=1,p=1"), "`memory` is 65537; it must be from 8 to 65536");
        assert_eq!(costs("m=4294967295,t=1,p=1"), "`memory` is 4294967295; it must be from 8 to 65536");
        assert_eq!(costs("m=256,t=17,p=1"), "`time` is 17; it must be from 1 to 16");
        assert_eq!(costs("m=256,t=0,p=1"), "`time` is 0; it must be from 1 to 16");
        assert_eq!(costs("m=256,t=1,p=17"), "`parallelism` is 17; it must be from 1 to 16");
        assert_eq!(costs("m=15,t=1,p=2"), "`memory` is 15; it must be from 16 to 65536");
        for broken in
            ["", "m=256,t=2", "t=2,m=256,p=1", "m=256,t=2,p=1,x=1", "m=+256,t=2,p=1", "m=,t=2,p=1", "m=99999999999,t=1,p=1"]
        {
            assert_eq!(costs(broken), "it has no costs such as `m=19456,t=2,p=1`", "{broken}");
        }
        let long = format!("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ${}", "A".repeat(600));
        for text in ["", "$", "$argon2i$v=19$", "$argon2id$v=16$m=256,t=2,p=1", "$argon2id$v=19$m=256,t=2,p=1$c29t", &long] {
            Phc::read(text).unwrap_err();
        }
        let [known, _] = KNOWN;
        for tail in ["=", " ", "$", "$x"] {
            Phc::read(&format!("{known}{tail}")).unwrap_err();
        }
    }
}
