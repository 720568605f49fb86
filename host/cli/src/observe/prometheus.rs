//! Metrics in the text format of Prometheus.
//!
//! Labels are ids of hosts and names of limits only: entries and pids come and go, and each would be a series of its own.

use std::fmt::Write as _;

use moonlet_runtime::{Accounts, HostStats};

type Read = fn(&HostStats) -> f64;

/// Name, type, help and value of each metric of a host.
const HOST: &[(&str, &str, &str, Read)] = &[
    ("moonlet_processes", "gauge", "Living processes.", |host| host.processes as f64),
    ("moonlet_processes_started_total", "counter", "Processes started, calls included.", |host| host.spawned as f64),
    ("moonlet_processes_failed_total", "counter", "Processes that ended with an error.", |host| host.failed as f64),
    ("moonlet_cpu_seconds_total", "counter", "CPU time of processes.", |host| host.cpu as f64 / 1e9),
    ("moonlet_memory_bytes", "gauge", "Memory charged to living processes.", |host| host.memory as f64),
    ("moonlet_memory_peak_bytes", "gauge", "The most memory charged to living processes so far.", |host| host.memory_peak as f64),
    ("moonlet_messages_sent_total", "counter", "Messages that processes sent.", |host| host.sent as f64),
    ("moonlet_messages_received_total", "counter", "Messages that processes were given.", |host| host.received as f64),
    ("moonlet_mailbox_messages", "gauge", "Messages that wait.", |host| host.mailbox_messages as f64),
    ("moonlet_mailbox_bytes", "gauge", "Bytes of the messages that wait.", |host| host.mailbox_bytes as f64),
    ("moonlet_denials_total", "counter", "Acts that were denied.", |host| host.denials as f64),
];

/// Writes the metrics of a node.
pub(super) fn text(accounts: &Accounts) -> String {
    let mut text = String::new();
    head(&mut text, "moonlet_uptime_seconds", "gauge", "Time since the node started.");
    line(&mut text, "moonlet_uptime_seconds", &[], accounts.uptime as f64 / 1e9);
    head(&mut text, "moonlet_kept_memory_bytes", "gauge", "Memory that ended processes have left for the next ones.");
    line(&mut text, "moonlet_kept_memory_bytes", &[], accounts.kept_memory as f64);
    head(&mut text, "moonlet_handles", "gauge", "What processes hold of modules, such as open files and transactions.");
    line(&mut text, "moonlet_handles", &[], accounts.handles as f64);
    head(&mut text, "moonlet_module_jobs", "gauge", "Jobs that run for calls of modules, beside the processes.");
    line(&mut text, "moonlet_module_jobs", &[], accounts.jobs as f64);
    for (name, kind, help, read) in HOST {
        head(&mut text, name, kind, help);
        for host in &accounts.hosts {
            line(&mut text, name, &[("host", &host.id)], read(host));
        }
    }
    let hits: fn(&HostStats) -> &[(&'static str, u64)] = |host| &host.limit_hits;
    let exits: fn(&HostStats) -> &[(&'static str, u64)] = |host| &host.limit_exits;
    for (name, help, read) in [
        ("moonlet_limit_hits_total", "How often a limit refused something.", hits),
        ("moonlet_limit_exits_total", "Processes that a limit ended.", exits),
    ] {
        head(&mut text, name, "counter", help);
        for host in &accounts.hosts {
            for (limit, count) in read(host) {
                line(&mut text, name, &[("host", &host.id), ("limit", limit)], *count as f64);
            }
        }
    }
    text
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: f64) {
    text.push_str(name);
    for (index, (label, value)) in labels.iter().enumerate() {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{}{label}=\"{value}\"", if index == 0 { '{' } else { ',' });
    }
    if !labels.is_empty() {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_limits_are_labels() {
        let host =
            HostStats { id: "app:\"odd\"".to_owned(), processes: 3, limit_hits: vec![("names", 2)], ..HostStats::default() };
        let accounts =
            Accounts { uptime: 1_500_000_000, kept_memory: 7, handles: 2, jobs: 1, hosts: vec![host], processes: Vec::new() };
        let text = text(&accounts);
        for wanted in [
            "moonlet_uptime_seconds 1.5\n",
            "moonlet_kept_memory_bytes 7\n",
            "\nmoonlet_handles 2\n",
            "\nmoonlet_module_jobs 1\n",
            "# TYPE moonlet_processes gauge\nmoonlet_processes{host=\"app:\\\"odd\\\"\"} 3\n",
            "moonlet_limit_hits_total{host=\"app:\\\"odd\\\"\",limit=\"names\"} 2\n",
        ] {
            assert!(text.contains(wanted), "{text}");
        }
    }
}
