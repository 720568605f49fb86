//! Which known name a misspelt one was probably meant to be.

/// Longer names are not compared: the comparison costs the product of both lengths.
const MAX_LENGTH: usize = 60;

/// No more names than this are compared: a hostile file may declare any number.
const MAX_NAMES: usize = 5_000;

/// Tells whether two texts differ so little that one is probably a misspelling of the other.
#[must_use]
pub(crate) fn is_near(written: &str, known: &str) -> bool {
    distance(written, known).is_some_and(|distance| distance <= allowed(written, known))
}

/// Gives the known name nearest to a misspelt one, if any is near; among equals the first.
pub(crate) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for name in known.take(MAX_NAMES) {
        if name == written || name.len().abs_diff(written.len()) > allowed(written, name) {
            continue;
        }
        let Some(distance) = distance(written, name) else { continue };
        if distance <= allowed(written, name) && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

fn allowed(written: &str, known: &str) -> usize {
    match written.len().min(known.len()) {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    }
}

/// Counts insertions, deletions, substitutions and swaps of neighbours; case alone counts nothing.
fn distance(left: &str, right: &str) -> Option<usize> {
    if left.len() > MAX_LENGTH || right.len() > MAX_LENGTH {
        return None;
    }
    if left.eq_ignore_ascii_case(right) {
        return Some(0);
    }
    let left: Vec<char> = left.chars().map(|c| c.to_ascii_lowercase()).collect();
    let right: Vec<char> = right.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let get = |values: &[usize], index: usize| values.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (get(&last, column) + usize::from(a != b)).min(get(&last, column + 1) + 1);
            cost = cost.min(get(&current, column) + 1);
            let swapped = row > 0 && column > 0 && left.get(row - 1) == Some(b) && right.get(column - 1) == Some(a);
            if swapped {
                cost = cost.min(get(&before_last, column - 1) + 1);
            }
            current.push(cost);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelling_finds_its_name() {
        let known = ["name", "age", "address", "process"];
        for (written, expected) in
            [("nmae", Some("name")), ("adress", Some("address")), ("Name", Some("name")), ("xyz", None), ("ag", None)]
        {
            assert_eq!(nearest(written, known.into_iter()), expected, "{written}");
        }
    }
}
