//! Connections that are followed: a bounded number of them.

use std::collections::HashMap;
use std::hash::Hash;

/// Connections that are followed at once.
const MOST: usize = 1 << 16;

/// Connections by what tells them apart.
#[derive(Debug)]
pub(super) struct Followed<K, C> {
    recent: HashMap<K, C>,
    /// Those of which nothing has come for long: when the others are too
    /// many, these are given up, and all others become these.
    quiet: HashMap<K, C>,
}

impl<K, C> Default for Followed<K, C> {
    fn default() -> Followed<K, C> {
        Followed { recent: HashMap::new(), quiet: HashMap::new() }
    }
}

impl<K: Hash + Eq + Copy, C> Followed<K, C> {
    /// The connection of that key, or a new one; `give_up` ends those that
    /// have to make room.
    pub fn get(
        &mut self,
        key: K,
        new: impl FnOnce() -> C,
        give_up: impl FnMut(&mut C),
    ) -> &mut C {
        if let Some(connection) = self.quiet.remove(&key) {
            self.recent.insert(key, connection);
        }
        if self.recent.len() >= MOST / 2 && !self.recent.contains_key(&key) {
            self.give_up(give_up);
        }
        self.recent.entry(key).or_insert_with(new)
    }

    /// Ends those that are quiet, and takes all others for that.
    pub fn give_up(&mut self, end: impl FnMut(&mut C)) {
        self.quiet.values_mut().for_each(end);
        self.quiet = std::mem::take(&mut self.recent);
    }

    /// Forgets a connection.
    pub fn remove(&mut self, key: K) {
        self.recent.remove(&key);
        self.quiet.remove(&key);
    }

    /// All of them, those that were quiet for long first.
    pub fn all(&mut self) -> impl Iterator<Item = &mut C> {
        self.quiet.values_mut().chain(self.recent.values_mut())
    }
}
