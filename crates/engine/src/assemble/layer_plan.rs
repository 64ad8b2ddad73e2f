//! Which packages share a layer.
//!
//! A big package has a layer of its own: it is stored, pushed and pulled once for every image that has it.
//! Small ones are spread over a fixed number of buckets by their *name*, so that adding, removing or updating
//! one package changes one bucket and leaves the bytes of all others alone.

use imagewright_oci::digest::Digest;

use crate::error::{BuildError, ErrorKind};

/// The most layers an image of ours has. Docker's limit is 127, and containerd fails at some 128 lower
/// folders; a few are left for those who build on top of ours.
pub const MAXIMUM_LAYERS: usize = 120;

/// Compressed bytes from which a package has a layer of its own.
pub const BIG_PACKAGE: u64 = 4 << 20;

/// Buckets in an image whose base leaves room enough. A power of two: where there is less room, two buckets
/// become one, and no package changes sides.
const BUCKETS: usize = 16;

/// One package as the plan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Normalised name: decides about the bucket.
    pub name: String,
    /// Compressed bytes of its frame.
    pub size: u64,
}

/// Groups packages into layers. Returns the numbers of the packages in each layer, by name within each.
///
/// `room` is the number of layers that packages may take.
///
/// # Errors
/// A base that leaves no room at all.
pub fn plan_layers(members: &[Member], room: usize) -> Result<Vec<Vec<usize>>, BuildError> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    if room == 0 {
        return Err(BuildError::new(
            ErrorKind::TooLarge,
            format!("the base has so many layers that none can be added: an image may have {MAXIMUM_LAYERS}"),
        )
        .with_next_step("squash the base (for example `buildah build --squash`) and push it again"));
    }
    let buckets = largest_power_of_two(room.div_ceil(2).min(BUCKETS));
    let mut alone: Vec<usize> = (0..members.len()).filter(|at| members[*at].size >= BIG_PACKAGE).collect();
    // The biggest first; ties by name, so that the choice does not depend on the order of the list.
    alone.sort_by(|left, right| {
        let key = |at: &usize| (std::cmp::Reverse(members[*at].size), members[*at].name.clone());
        key(left).cmp(&key(right))
    });
    alone.truncate(room - buckets);

    let mut shared: Vec<Vec<usize>> = vec![Vec::new(); buckets];
    for (at, member) in members.iter().enumerate() {
        if !alone.contains(&at) {
            shared[bucket(&member.name, buckets)].push(at);
        }
    }
    let by_name = |left: &usize, right: &usize| members[*left].name.cmp(&members[*right].name);
    alone.sort_by(by_name);
    for bucket in &mut shared {
        bucket.sort_by(by_name);
    }
    let mut layers: Vec<Vec<usize>> = alone.into_iter().map(|at| vec![at]).collect();
    layers.extend(shared.into_iter().filter(|bucket| !bucket.is_empty()));
    Ok(layers)
}

fn bucket(name: &str, buckets: usize) -> usize {
    usize::from(Digest::of(name.as_bytes()).as_bytes()[0]) % buckets
}

fn largest_power_of_two(limit: usize) -> usize {
    if limit == 0 { 1 } else { 1 << limit.ilog2() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(sizes: &[(&str, u64)]) -> Vec<Member> {
        sizes.iter().map(|(name, size)| Member { name: (*name).to_owned(), size: *size }).collect()
    }

    fn names<'a>(members: &'a [Member], layers: &[Vec<usize>]) -> Vec<Vec<&'a str>> {
        layers.iter().map(|layer| layer.iter().map(|at| members[*at].name.as_str()).collect()).collect()
    }

    #[test]
    fn big_packages_are_alone_and_small_ones_share() {
        let members = members(&[("torch", 800 << 20), ("six", 1), ("numpy", 20 << 20)]);
        let layers = plan_layers(&members, 100).unwrap();
        assert_eq!(names(&members, &layers), [vec!["numpy"], vec!["torch"], vec!["six"]]);
    }

    #[test]
    fn one_more_package_changes_one_layer() {
        let all: Vec<(String, u64)> = (0..60).map(|number| (format!("package-{number}"), 1)).collect();
        let all: Vec<(&str, u64)> = all.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        let (before, after) = (members(&all[..59]), members(&all));
        let (old, new) = (plan_layers(&before, 100).unwrap(), plan_layers(&after, 100).unwrap());
        let (old, new) = (names(&before, &old), names(&after, &new));
        assert_eq!(new.iter().filter(|layer| !old.contains(layer)).count(), 1);
    }

    #[test]
    fn the_limit_holds_however_little_room_there_is() {
        let many: Vec<(String, u64)> = (0..300).map(|number| (format!("p{number}"), 8 << 20)).collect();
        let many: Vec<(&str, u64)> = many.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        let members = members(&many);
        for room in 1..=MAXIMUM_LAYERS {
            let layers = plan_layers(&members, room).unwrap();
            assert!(layers.len() <= room, "{} layers in a room of {room}", layers.len());
            assert_eq!(layers.iter().map(Vec::len).sum::<usize>(), members.len());
        }
        assert_eq!(plan_layers(&members, 0).unwrap_err().kind(), ErrorKind::TooLarge);
        assert!(plan_layers(&[], 0).unwrap().is_empty());
    }
}
