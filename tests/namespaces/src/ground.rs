//! The namespaces, the network between them, and the disks of the nodes.

use crate::switch::{Switch, hardware_address};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command, Output},
    sync::Arc,
};
use tempfile::TempDir;

/// Nodes that can be at most.
pub(crate) const NODES_MAX: usize = 5;
/// Bytes of a disk that can be filled.
const SMALL_DISK: &str = "size=256m";

/// What nodes stand on. Dropped, all of it is gone.
pub(crate) struct Ground {
    directory: TempDir,
    /// Part of all names and addresses, so that several can be at once.
    number: u32,
    pub(crate) switch: Arc<Switch>,
}

impl Ground {
    pub(crate) fn new() -> Result<Self, String> {
        let number = process::id() % 250;
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let devices: Vec<String> = (0..NODES_MAX).map(|node| device(number, node)).collect();
        let switch = Switch::start(&devices).map_err(|error| {
            format!("no device for a wire can be made ({error}); this needs root and /dev/net/tun")
        })?;
        let ground = Self { directory, number, switch };
        ground.build()?;
        Ok(ground)
    }

    fn build(&self) -> Result<(), String> {
        let bridge = self.bridge();
        ip(&format!("link add {bridge} type bridge"))?;
        ip(&format!("addr add 10.202.{}.254/24 dev {bridge}", self.number))?;
        ip(&format!("link set {bridge} up"))?;
        for node in 0..NODES_MAX {
            let (space, wire) = (self.space(node), device(self.number, node));
            ip(&format!("netns add {space}"))?;
            ip(&format!("link set {wire} netns {space}"))?;
            let within = |command: &str| ip(&format!("-n {space} {command}"));
            within("link set lo up")?;
            within(&format!("link set {wire} address {}", hardware_address(node)))?;
            within(&format!("addr add {}/24 dev {wire}", self.node_address(node)))?;
            within(&format!("link set {wire} up"))?;
            // Addresses are known, so that a wire which is cut one way is cut that way only.
            for other in (0..NODES_MAX).filter(|other| *other != node) {
                let (address, hardware) = (self.node_address(other), hardware_address(other));
                within(&format!("neigh add {address} lladdr {hardware} dev {wire} nud permanent"))?;
            }
            let (outside, inside) =
                (format!("vdo{}n{node}", self.number), format!("vdi{}n{node}", self.number));
            ip(&format!("link add {outside} type veth peer name {inside}"))?;
            ip(&format!("link set {inside} netns {space}"))?;
            ip(&format!("link set {outside} master {bridge} up"))?;
            within(&format!("addr add {}/24 dev {inside}", self.client_address(node)))?;
            within(&format!("link set {inside} up"))?;
        }
        Ok(())
    }

    /// Where node `node` is reached by others.
    pub(crate) fn node_address(&self, node: usize) -> String {
        format!("10.201.{}.{}", self.number, node + 1)
    }

    /// Where clients reach node `node`, whatever becomes of the wires between nodes.
    pub(crate) fn client_address(&self, node: usize) -> String {
        format!("10.202.{}.{}", self.number, node + 1)
    }

    /// A program that is run in the namespace of a node.
    pub(crate) fn command(&self, node: usize, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(node)]).arg(program);
        command
    }

    /// A path for a run.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The data directory of a node.
    pub(crate) fn data(&self, node: usize) -> PathBuf {
        self.path(&format!("node{node}"))
    }

    /// Gives node `node` a disk of its own that is small.
    pub(crate) fn give_small_disk(&self, node: usize) -> Result<(), String> {
        let data = self.data(node);
        fs::create_dir_all(&data).map_err(|error| error.to_string())?;
        let options = Some(std::ffi::CString::new(SMALL_DISK).map_err(|error| error.to_string())?);
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("vectordoc", &data, "tmpfs", flags, options.as_deref())
            .map_err(|error| format!("cannot mount a disk at {}: {error}", data.display()))
    }

    /// Removes what nodes have stored, for another run.
    pub(crate) fn clear(&self) {
        for node in 0..NODES_MAX {
            let data = self.data(node);
            let _ = rustix::mount::unmount(&data, rustix::mount::UnmountFlags::DETACH);
            let _ = fs::remove_dir_all(data);
        }
    }

    /// The name of the namespace of a node.
    pub(crate) fn space(&self, node: usize) -> String {
        format!("vd{}n{node}", self.number)
    }

    fn bridge(&self) -> String {
        format!("vdb{}", self.number)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.switch.stop();
        self.clear();
        for node in 0..NODES_MAX {
            let _ = ip(&format!("netns del {}", self.space(node)));
        }
        let _ = ip(&format!("link del {}", self.bridge()));
    }
}

fn device(number: u32, node: usize) -> String {
    format!("vdt{number}n{node}")
}

fn ip(arguments: &str) -> Result<(), String> {
    let ran = Command::new("ip").args(arguments.split(' ')).output();
    match ran {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stderr, .. }) => {
            Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&stderr).trim()))
        }
        Err(error) => Err(format!("ip {arguments}: {error}")),
    }
}
