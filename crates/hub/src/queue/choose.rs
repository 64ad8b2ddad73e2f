//! Which build is next: a pure function of what waits and what runs.

use std::collections::HashMap;

use imagewright_store::builds::Build;
use imagewright_store::{BuildId, GroupId};
use jiff::Timestamp;

/// How many builds may run at once.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    /// In all.
    pub hub: usize,
    /// For a group that is not named below.
    pub group: usize,
    /// For some groups. What belongs to no group has a place of its own, as if it were one.
    pub groups: HashMap<Option<GroupId>, usize>,
}

/// When the latest build of each group began.
pub type Turns = HashMap<Option<GroupId>, Timestamp>;

impl Slots {
    fn of(&self, group: Option<&GroupId>) -> usize {
        self.groups.get(&group.cloned()).copied().unwrap_or(self.group)
    }
}

/// The build to run next, if one may. Groups take turns: the one with the fewest builds that run goes first, then the
/// one whose last build began longest ago, then the one that has waited longest. `last_began` knows when each group's
/// latest build began.
pub fn choose(queued: &[Build], running: &[Build], last_began: &Turns, slots: &Slots) -> Option<BuildId> {
    order(queued, running, last_began, slots).into_iter().next()
}

/// All builds that wait, in the order in which they would begin if none of those that run ended, and then the rest as
/// if slots became free one by one.
pub fn order(queued: &[Build], running: &[Build], last_began: &Turns, slots: &Slots) -> Vec<BuildId> {
    // `choose` asks for the first alone, and that only where a slot is free.
    if running.len() >= slots.hub {
        return Vec::new();
    }
    let mut counts: HashMap<Option<&GroupId>, usize> = HashMap::new();
    for build in running {
        *counts.entry(build.group.as_ref()).or_default() += 1;
    }
    let mut free = slots.hub - running.len();
    let mut waiting: Vec<&Build> = queued.iter().collect();
    let mut turns: HashMap<Option<&GroupId>, Timestamp> = HashMap::new();
    let mut chosen = Vec::new();
    while free > 0 {
        let candidates = waiting.iter().enumerate().filter(|(_, build)| {
            let group = build.group.as_ref();
            counts.get(&group).copied().unwrap_or(0) < slots.of(group)
        });
        let next = candidates.min_by_key(|(_, build)| {
            let group = build.group.as_ref();
            let turn = turns.get(&group).copied();
            let began = turn.or_else(|| last_began.get(&build.group).copied()).unwrap_or(Timestamp::MIN);
            (counts.get(&group).copied().unwrap_or(0), began, build.requested_at, build.id.clone())
        });
        let Some((index, _)) = next else { break };
        let build = waiting.remove(index);
        *counts.entry(build.group.as_ref()).or_default() += 1;
        turns.insert(build.group.as_ref(), build.requested_at);
        chosen.push(build.id.clone());
        free -= 1;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use imagewright_spec::ImageKind;
    use imagewright_store::builds::{BuildStatus, Subject};
    use imagewright_store::images::Recipe;

    use super::*;

    fn build(group: &str, number: i64) -> Build {
        let group = (!group.is_empty()).then(|| GroupId::new(group));
        let name = group.as_ref().map_or("system", GroupId::as_str).to_owned();
        Build {
            id: BuildId::new(format!("image-{name}-{number}")),
            subject: Subject::Image(name.parse().unwrap()),
            number,
            group,
            status: BuildStatus::Queued,
            recipe: Recipe {
                kind: ImageKind::Cpu,
                base: "python".parse().unwrap(),
                apt: Vec::new(),
                conda: Vec::new(),
                pip: Vec::new(),
            },
            recipe_secret: None,
            spec_hash: "01234567".parse().unwrap(),
            tag: String::new(),
            requested_by: "u".to_owned().into(),
            requested_by_name: String::new(),
            requested_at: Timestamp::from_second(number).unwrap(),
            started_at: None,
            finished_at: None,
            updated_at: Timestamp::UNIX_EPOCH,
            attempt: 0,
            worker: None,
            lease_until: None,
            fence: 0,
            is_cancel_requested: false,
            publish_granted_at: None,
            stages: Vec::new(),
            product: None,
            failure: None,
            orphaned_at: None,
            removed_at: None,
        }
    }

    fn slots(hub: usize, group: usize) -> Slots {
        Slots { hub, group, groups: HashMap::new() }
    }

    fn names(queued: &[Build], running: &[Build], slots: &Slots) -> Vec<String> {
        order(queued, running, &HashMap::new(), slots).into_iter().map(|id| id.to_string()).collect()
    }

    #[test]
    fn a_group_that_asks_for_much_does_not_keep_others_waiting() {
        let queued = [build("a", 1), build("a", 2), build("a", 3), build("b", 4), build("", 5)];
        assert_eq!(names(&queued, &[], &slots(3, 2)), ["image-a-1", "image-b-4", "image-system-5"]);
        assert_eq!(names(&queued, &[build("a", 0)], &slots(3, 2)), ["image-b-4", "image-system-5"]);
        assert_eq!(
            choose(&queued, &[build("b", 0), build("", 0)], &HashMap::new(), &slots(3, 1)).unwrap().as_str(),
            "image-a-1"
        );
    }

    #[test]
    fn limits_hold_for_the_hub_and_for_each_group() {
        let queued = [build("a", 1), build("a", 2)];
        assert_eq!(names(&queued, &[], &slots(5, 1)), ["image-a-1"]);
        assert!(choose(&queued, &[build("b", 0)], &HashMap::new(), &slots(1, 1)).is_none());
        let mut more = slots(5, 1);
        more.groups.insert(Some(GroupId::new("a")), 2);
        assert_eq!(names(&queued, &[], &more), ["image-a-1", "image-a-2"]);
        more.groups.insert(Some(GroupId::new("a")), 0);
        assert!(names(&queued, &[], &more).is_empty());
    }

    #[test]
    fn of_two_groups_the_one_whose_turn_is_longest_ago_goes_first() {
        let queued = [build("a", 1), build("b", 2)];
        let began = HashMap::from([(Some(GroupId::new("a")), Timestamp::from_second(100).unwrap())]);
        assert_eq!(choose(&queued, &[], &began, &slots(1, 1)).unwrap().as_str(), "image-b-2");
    }
}
