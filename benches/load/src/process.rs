//! What the operating system says about processes.

use std::collections::HashMap;
use std::fs;

use crate::Result;

/// Clock ticks of `/proc`, which are hundredths of a second on Linux whatever the kernel's own.
const TICK: f64 = 0.01;

struct Stat {
    parent: u32,
    own: f64,
    /// Of children that ended.
    ended: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| -> Option<f64> { Some(fields.get(index)?.parse::<f64>().ok()? * TICK) };
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        ended: ticks(13)? + ticks(14)?,
    })
}

/// CPU seconds of one process, all its threads together.
pub(crate) fn cpu(pid: u32) -> Result<f64> {
    Ok(stat(pid).ok_or("the server is gone")?.own)
}

/// CPU seconds of a process and its children, those that ended too.
pub(crate) fn cpu_of_tree(root: u32) -> Result<f64> {
    let top = stat(root).ok_or("PostgreSQL is gone")?;
    let mut sum = top.own + top.ended;
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some(child) = stat(pid).filter(|child| child.parent == root) {
            sum += child.own;
        }
    }
    Ok(sum)
}

/// Resident memory in KiB.
pub(crate) fn resident(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let fields: HashMap<&str, &str> = status.lines().filter_map(|line| line.split_once(':')).collect();
    let size = fields.get("VmRSS").ok_or("no resident size")?;
    Ok(size.trim().trim_end_matches(" kB").parse()?)
}

/// What a process has open.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    /// All of it, sockets too.
    pub(crate) files: usize,
    pub(crate) sockets: usize,
}

/// What a process has open now.
pub(crate) fn open(pid: u32) -> Result<Open> {
    let mut open = Open { files: 0, sockets: 0 };
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        open.files += 1;
        // It may have been closed in the meantime.
        let target = fs::read_link(entry?.path());
        if target.is_ok_and(|target| target.to_string_lossy().starts_with("socket:")) {
            open.sockets += 1;
        }
    }
    Ok(open)
}

/// Files that a process may have open.
pub(crate) fn open_files() -> Result<usize> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line
        .and_then(|line| line.split_whitespace().nth(3))
        .ok_or("no limit of open files")?;
    Ok(soft.parse()?)
}

/// Name of the processor, for the report.
pub(crate) fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cores = text.lines().filter(|line| line.starts_with("processor")).count();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{} × {}", cores, model.map_or("unknown", |(_, name)| name))
}
