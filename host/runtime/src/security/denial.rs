//! Why an act is not allowed, and what to write so that it is.

use std::fmt;

/// The longest part of a guest's text that a message repeats.
const SHOWN: usize = 512;

/// An act that is not allowed. Its text is for the one who acts; its fields are the audit line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// What was to be done.
    pub(crate) action: String,
    /// To what.
    pub(crate) resource: String,
    /// By whom; none when the process has no actor.
    pub(crate) actor: Option<String>,
    /// Why not.
    pub(crate) cause: Cause,
}

/// Why an act is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A policy of the scope denies it.
    DeniedBy {
        /// Which one.
        policy: String,
    },
    /// No policy of the scope applies.
    NotAllowed {
        /// Groups to which a policy could be added so that the scope has it.
        groups: Vec<String>,
    },
    /// Strict mode asks for an actor and a scope.
    Incomplete {
        /// There is no actor.
        actor: bool,
        /// There is no scope.
        scope: bool,
    },
}

impl Cause {
    /// Names the cause for logs and metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::DeniedBy { .. } => "denied_by_policy",
            Self::NotAllowed { .. } => "not_allowed",
            Self::Incomplete { .. } => "no_identity",
        }
    }
}

impl Denial {
    /// Gives the kind of the error as programs see it.
    pub(crate) fn kind(&self) -> &'static str {
        "PermissionDenied"
    }

    fn allowing_policy(&self, f: &mut fmt::Formatter<'_>, groups: &[String]) -> fmt::Result {
        let name: String = self
            .action
            .chars()
            .take(60)
            .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
            .collect();
        write!(
            f,
            "\n  - name: allow_{name}\n    kind: security.policy\n    policy:\n      actions: {}\n      resources: {}\n      effect: allow",
            yaml(&self.action),
            yaml(&self.resource)
        )?;
        if self.resource.contains('*') || self.action.contains('*') {
            // Whoever chose the text may hope that it is pasted without thought.
            f.write_str(" # mind the *, which stands for any characters")?;
        }
        match groups {
            [] => Ok(()),
            groups => {
                let groups: Vec<String> = groups.iter().map(|group| yaml(group)).collect();
                write!(f, "\n    groups: [{}]", groups.join(", "))
            }
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match &self.actor {
            Some(actor) => format!("`{}`", shown(actor)),
            None => "a process without an actor".to_owned(),
        };
        write!(f, "`{}` on `{}` is not allowed to {who}: ", shown(&self.action), shown(&self.resource))?;
        match &self.cause {
            Cause::DeniedBy { policy } => {
                write!(f, "the policy {policy} denies it; to except this actor, add to that policy:")?;
                let actor = self.actor.as_deref().unwrap_or_default();
                write!(f, "\n    conditions:\n      - field: actor.id\n        operator: ne\n        value: {}", yaml(actor))
            }
            Cause::NotAllowed { groups } if groups.is_empty() => {
                write!(f, "no policy of its scope allows it; add such a policy, and put it into the scope:")?;
                self.allowing_policy(f, groups)
            }
            Cause::NotAllowed { groups } => {
                write!(f, "no policy of its scope allows it; add this one to the entries:")?;
                self.allowing_policy(f, groups)
            }
            Cause::Incomplete { actor, scope } => {
                let what = match (actor, scope) {
                    (true, true) => "neither an actor nor a scope",
                    (true, false) => "no actor",
                    _ => "no scope",
                };
                write!(
                    f,
                    "the process has {what}, and security.strict is on; give its service an identity:\n  lifecycle:\n    security:\n      \
                     actor: {{id: service:name}}\n      policies: [allow_it]\nand a policy:"
                )?;
                self.allowing_policy(f, &[])
            }
        }
    }
}

/// The beginning of a text that a guest chose, without control characters.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}

/// A text as a YAML scalar.
fn yaml(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '/' | ':' | '-');
    let starts_plain = text.starts_with(|character: char| character.is_ascii_alphabetic());
    let word = matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if starts_plain && text.chars().all(plain) && !text.ends_with(':') && !word {
        return text.to_owned();
    }
    // A JSON string is a YAML scalar, whatever characters it has.
    let text: String = text.chars().take(SHOWN).collect();
    serde_json::Value::String(text).to_string()
}
