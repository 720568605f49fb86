//! `moonlet ps`: the processes of a running node, once.

use crate::arguments::PsArguments;
use crate::commands::top::{ask, bytes, draw, list, number, row, seconds, text};
use crate::failure::Failure;
use crate::{exit, output};

pub(crate) fn run(arguments: &PsArguments) -> Result<u8, Failure> {
    let accounts = ask(&arguments.node)?;
    let of_host = |pid: &str| {
        let host = pid.trim_start_matches('{').split('|').next().unwrap_or_default();
        arguments.host.as_deref().is_none_or(|wanted| host == wanted)
    };
    let mut processes: Vec<_> =
        list(&accounts, "processes").iter().filter(|process| of_host(text(process, "pid"))).cloned().collect();
    processes.sort_by(|one, other| text(one, "pid").cmp(text(other, "pid")));
    if arguments.json {
        output::line(&serde_json::Value::Array(processes).to_string());
        return Ok(exit::SUCCESS);
    }
    let mut rows = vec![row(&["PID", "ENTRY", "STATE", "CPU", "MEMORY", "WAIT", "UP"])];
    rows.extend(processes.iter().map(|process| {
        vec![
            text(process, "pid").to_owned(),
            text(process, "entry").to_owned(),
            text(process, "state").to_owned(),
            seconds(number(process, "cpu")),
            bytes(number(process, "memory")),
            number(process, "mailbox_messages").to_string(),
            seconds(number(process, "uptime")),
        ]
    }));
    let mut table = String::new();
    draw(&mut table, &rows);
    output::print(&table);
    Ok(exit::SUCCESS)
}
