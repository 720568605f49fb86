//! Writes a page again, with what its policy allows.

use moonlet_runtime::Error;

use super::entities::{decode, push_escaped};
use super::policy::Policy;
use super::tokens::{Token, Tokens};
use super::urls;
use crate::fail::answer_too_long;
use crate::heavy::Watch;

/// Elements that go with everything in them.
const WITH_CONTENT: &[&str] = &[
    "script",
    "style",
    "iframe",
    "frame",
    "frameset",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "template",
    "title",
    "xmp",
    "plaintext",
];
/// Elements that have no end.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements whose end may be left out.
const OPEN: &[&str] = &["p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "colgroup", "rp", "rt"];
/// How many elements may be open: what is deeper becomes text.
const MAX_OPEN: usize = 256;

/// Makes a page harmless, which may have `most` bytes then.
pub(super) fn sanitize(page: &str, policy: &Policy, most: usize, watch: &mut Watch) -> Result<String, Error> {
    let mut out = String::new();
    let mut charged = 0;
    let mut open: Vec<String> = Vec::new();
    // The element that is left out with its content, and how often it stands within itself.
    let mut skipped: Option<(String, usize)> = None;
    for token in Tokens::new(page) {
        // What one token becomes is no more than six times as long.
        watch.hold(out.len() - charged)?;
        charged = out.len();
        if charged > most {
            let message = "the page is longer than one answer to this process may be; raise `limits.message_size`";
            return Err(answer_too_long(message, most));
        }
        if let Some((element, depth)) = &mut skipped {
            match &token {
                Token::Start { name, closed: false, .. } if name == element => *depth += 1,
                Token::End(name) if name == element => *depth -= 1,
                _ => {}
            }
            if *depth == 0 {
                skipped = None;
            }
            continue;
        }
        match token {
            Token::Text(text) => push_escaped(&mut out, &decode(text)),
            Token::Start { name, attributes, closed } => {
                if !policy.allows(&name) {
                    if WITH_CONTENT.contains(&name.as_str()) && !closed {
                        skipped = Some((name, 1));
                    }
                    continue;
                }
                let is_void = VOID.contains(&name.as_str());
                if !is_void && open.len() >= MAX_OPEN {
                    continue;
                }
                push_tag(&mut out, &name, &attributes, closed && is_void, policy, watch)?;
                if !is_void {
                    open.push(name);
                }
            }
            Token::End(name) => {
                if let Some(place) = open.iter().rposition(|element| *element == name) {
                    // What was opened within it ends with it.
                    for element in open.drain(place..).rev() {
                        close(&mut out, &element, element == name);
                    }
                }
            }
        }
    }
    for element in open.iter().rev() {
        close(&mut out, element, true);
    }
    Ok(out)
}

fn close(out: &mut String, element: &str, always: bool) {
    if always || !OPEN.contains(&element) {
        out.push_str("</");
        out.push_str(element);
        out.push('>');
    }
}

fn push_tag(
    out: &mut String,
    name: &str,
    attributes: &[(String, &str)],
    closed: bool,
    policy: &Policy,
    watch: &Watch,
) -> Result<(), Error> {
    let mut kept: Vec<(&str, String)> = Vec::new();
    for (attribute, value) in attributes {
        let value = decode(value);
        let plain = attribute.chars().all(|c| c.is_ascii_alphanumeric() || "-_:.".contains(c));
        if !plain || !policy.allows_attribute(name, attribute, &value, watch)? {
            continue;
        }
        if urls::is_url(attribute) && !policy.urls.allow(name, attribute, &value) {
            continue;
        }
        kept.push((attribute, value));
    }
    if matches!(name, "a" | "area" | "link") {
        add_link_attributes(&mut kept, policy);
    }
    out.push('<');
    out.push_str(name);
    for (attribute, value) in kept {
        out.push(' ');
        out.push_str(attribute);
        out.push_str("=\"");
        push_escaped(out, &value);
        out.push('"');
    }
    out.push_str(if closed { "/>" } else { ">" });
    Ok(())
}

/// Adds what a policy wants on every link.
fn add_link_attributes(kept: &mut Vec<(&str, String)>, policy: &Policy) {
    let Some(url) = kept.iter().find(|(name, _)| *name == "href").map(|(_, value)| value.clone()) else { return };
    let mut relations = Vec::new();
    if policy.nofollow {
        relations.push("nofollow");
    }
    if policy.noreferrer {
        relations.push("noreferrer");
    }
    if policy.target_blank && urls::is_absolute(&url) {
        kept.retain(|(name, _)| *name != "target");
        kept.push(("target", "_blank".to_owned()));
        relations.push("noopener");
    }
    if relations.is_empty() {
        return;
    }
    let mut rel = kept.iter().find(|(name, _)| *name == "rel").map_or_else(String::new, |(_, value)| value.clone());
    for relation in relations {
        if !rel.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(relation)) {
            if !rel.is_empty() {
                rel.push(' ');
            }
            rel.push_str(relation);
        }
    }
    kept.retain(|(name, _)| *name != "rel");
    kept.push(("rel", rel));
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use moonlet_runtime::Value;

    use super::*;

    fn sanitize(page: &str, policy: &Policy) -> String {
        super::sanitize(page, policy, 1 << 24, &mut Watch::default()).unwrap()
    }

    fn policy(rules: &str) -> Policy {
        let json: serde_json::Value = serde_json::from_str(rules).unwrap();
        let rules = crate::json::to_value(&json);
        assert!(matches!(rules, Value::Array(_)));
        Policy::read(&rules).unwrap()
    }

    #[test]
    fn user_content_stays_and_programs_go() {
        let ugc = policy(r#"[["ugc", []]]"#);
        for (page, expected) in [
            ("<p>Hello <strong>world</strong></p>", "<p>Hello <strong>world</strong></p>"),
            ("<p>Hello <script>alert(\"xss\")</script></p>", "<p>Hello </p>"),
            ("<a href=\"https://a.b/?x=1&y=2\">L</a>", "<a href=\"https://a.b/?x=1&amp;y=2\" rel=\"nofollow\">L</a>"),
            ("<img src=x onerror=alert(1)>", "<img src=\"x\">"),
            ("<br/>a<br>", "<br/>a<br>"),
            ("<b>open", "<b>open</b>"),
            ("</b>stray", "stray"),
            ("<i><b>x</i>y", "<i><b>x</b></i>y"),
            ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
            ("a&nbsp;b &amp; &lt;b&gt; &unknown;", "a\u{a0}b &amp; &lt;b&gt; &unknown;"),
            ("<!-- comment -->x<!-->y-->", "xy--&gt;"),
            ("<style>p{}</style>t<title>t</title>", "t"),
            ("<svg><a xlink:href=\"javascript:alert(1)\">x</a></svg>", "<a>x</a>"),
        ] {
            assert_eq!(sanitize(page, &ugc), expected, "{page}");
        }
    }

    #[test]
    fn no_program_gets_through() {
        let all = policy(
            r#"[["ugc", []], ["allow_elements", ["script", "style", "svg", "math", "form", "textarea", "iframe", "a"]],
            ["attrs", ["href", "src", "style", "onclick", "action", "class"], false, true]]"#,
        );
        for page in [
            "<a href=\"javascript:alert(1)\">x</a>",
            "<a href=\" java\nscript:alert(1)\">x</a>",
            "<a href=\"jav&#x61;script:alert(1)\">x</a>",
            "<a href=\"javascript&colon;alert(1)\">x</a>",
            "<a href=\"java&Tab;script:alert(1)\">x</a>",
            "<a href=\"&#1;javascript:alert(1)\">x</a>",
            "<a href=\"vbscript:x\">x</a>",
            "<a href='data:text/html;base64,AAAA'>x</a>",
            "<img src=\"x\" onerror=\"alert(1)\">",
            "<img src=x/onerror=alert(1)>",
            "<img \"\"\"><script>alert(1)</script>\">",
            "<scr<script>ipt>alert(1)</script>",
            "<script>alert(1)",
            "<script/src=//evil>",
            "<<script>alert(1);//<</script>",
            "<p style=\"background:url(javascript:alert(1))\">",
            "<div onclick=alert(1)>",
            "<svg/onload=alert(1)>",
            "<svg><style><img src=x onerror=alert(1)></style>",
            "<math><mi//xlink:href=\"data:x,<script>alert(1)</script>\">",
            "<textarea></textarea><script>alert(1)</script>",
            "<form action=\"javascript:alert(1)\">",
            "<iframe src=\"javascript:alert(1)\"></iframe>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<a href=\"x\" title='\"><script>alert(1)</script>'>x</a>",
        ] {
            let clean = sanitize(page, &all);
            for token in Tokens::new(&clean) {
                let Token::Start { name, attributes, .. } = token else { continue };
                assert!(!["script", "style"].contains(&name.as_str()), "{page} became {clean}");
                for (attribute, value) in attributes {
                    let value = decode(value).to_ascii_lowercase();
                    let runs = attribute.starts_with("on") || value.contains("url(") || value.starts_with("data:");
                    assert!(!runs && !value.contains("script:"), "{page} became {clean}");
                }
            }
        }
    }

    #[test]
    fn addresses_follow_the_policy() {
        let links = policy(r#"[["attrs", ["href"], false, ["a"]], ["allow_url_schemes", ["https", "mailto"]]]"#);
        assert_eq!(sanitize("<a href=\"https://example.com\">OK</a>", &links), "<a href=\"https://example.com\">OK</a>");
        assert_eq!(sanitize("<a href=\"javascript:alert(1)\">XSS</a>", &links), "<a>XSS</a>");
        assert_eq!(sanitize("<a href=\"/page\">L</a><a href=\"http://a\">H</a>", &links), "<a>L</a><a>H</a>");
    }

    #[test]
    fn hostile_pages_end() {
        let ugc = policy(r#"[["ugc", []]]"#);
        for part in ["<", "<b>", "<b ", "&", "<!--", "<a href=", "</", "<script>", "&#", "<b a=\"", "]]>", "<b/"] {
            sanitize(&part.repeat(20_000), &ugc);
        }
        let start = std::time::Instant::now();
        for part in ["<!---->", "<!-->", "<!--a--!>", "<!a>", "<b a a a>"] {
            sanitize(&part.repeat(300_000), &ugc);
        }
        assert!(start.elapsed().as_secs() < 10);
        let page = "<b>\"</b>".repeat(1_000);
        assert_eq!(super::sanitize(&page, &ugc, 8_000, &mut Watch::default()).unwrap_err().kind, "LimitExceeded");
        assert_eq!(super::sanitize(&page, &ugc, 80_000, &mut Watch::canceled_now()).unwrap_err().kind, "Canceled");
    }

    #[test]
    fn comments_end_where_browsers_end_them() {
        let ugc = policy(r#"[["ugc", []]]"#);
        for (page, expected) in [
            ("<!--a-->b-->", "b--&gt;"),
            ("<!--a--!>b-->", "b--&gt;"),
            ("<!-- > - > -- > --->b", "b"),
            ("<!--->b", "b"),
            ("<!----!>b", "b"),
            ("<!--a->b", ""),
        ] {
            assert_eq!(sanitize(page, &ugc), expected, "{page}");
        }
    }

    #[test]
    fn rules_do_not_multiply_without_end() {
        let names: Vec<Value> = (0..1_000).map(|number| Value::from(format!("a{number}"))).collect();
        let rule = Value::Array(vec!["attrs".into(), Value::Array(names.clone()), false.into(), Value::Array(names)]);
        assert!(Policy::read(&Value::Array(vec![rule])).is_err());
    }
}
