//! The known name that a misspelt one was probably meant to be.

/// Longer names are not compared: the cost grows with the product of the lengths, and nobody mistypes so long a name.
const MAX_COMPARED: usize = 64;

/// Gives the candidate nearest to a name, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    if name.len() > MAX_COMPARED {
        return None;
    }
    let allowed = (name.len() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.to_lowercase().chars().collect();
        if other.len() > MAX_COMPARED || other.len().abs_diff(name.len()) > allowed {
            continue;
        }
        let distance = edit_distance(&name, &other);
        if distance <= allowed && best.is_none_or(|(shortest, _)| distance < shortest) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Counts insertions, deletions, replacements and swaps of neighbours.
fn edit_distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; right.len() + 1];
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    let mut previous_left = None;
    for (row, left_character) in left.iter().enumerate() {
        let mut current = Vec::with_capacity(right.len() + 1);
        current.push(row + 1);
        let mut previous_right = None;
        for (column, right_character) in right.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut cost = at(&previous, column) + usize::from(left_character != right_character);
            cost = cost.min(at(&previous, column + 1) + 1).min(at(&current, column) + 1);
            if previous_left == Some(right_character) && previous_right == Some(left_character) {
                cost = cost.min(at(&before, column.saturating_sub(1)) + 1);
            }
            current.push(cost);
            previous_right = Some(right_character);
        }
        previous_left = Some(left_character);
        before = std::mem::replace(&mut previous, current);
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_found_and_a_distant_one_is_not() {
        let names = ["function.lua", "process.lua", "process.host", "library.lua"];
        assert_eq!(nearest("proces.lua", names), Some("process.lua"));
        assert_eq!(nearest("porcess.host", names), Some("process.host"));
        assert_eq!(nearest("Function.Lua", names), Some("function.lua"));
        assert_eq!(nearest("cron.job", names), None);
        assert_eq!(nearest("memroy", ["memory", "mailbox"]), Some("memory"));
        assert_eq!(nearest(&"x".repeat(1000), names), None);
    }
}
