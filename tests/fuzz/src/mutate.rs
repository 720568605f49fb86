//! Inputs by chance, the same ones for the same seed: pieces of what there is, bent and put together.

/// A generator that is fast and good enough to bend bytes.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.number() % end as u64) as usize }
    }
}

/// Inputs stay below this size, so that many fit into a second.
const MAX_INPUT: usize = 4_096;

/// Makes an input out of the seeds; `words` are pieces that the format cares about.
pub(crate) fn input(chance: &mut Chance, seeds: &[Vec<u8>], words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(8) {
        let place = chance.below(bytes.len() + 1);
        let length = chance.below(bytes.len() - place + 1).min(64);
        match chance.below(9) {
            0 if place < bytes.len() => bytes[place] ^= 1 << chance.below(8),
            1 if place < bytes.len() => bytes[place] = chance.number() as u8,
            2 => bytes.insert(place, chance.number() as u8),
            3 => drop(bytes.drain(place..place + length)),
            4 => {
                let piece = bytes[place..place + length].to_vec();
                bytes.splice(place..place, piece);
            }
            5 | 6 => {
                let word = &words[chance.below(words.len())];
                bytes.splice(place..place, word.iter().copied());
            }
            7 => {
                // Many of the same, for what nests.
                let word = &words[chance.below(words.len())];
                let count = 1 << chance.below(9);
                bytes.splice(place..place, word.iter().copied().cycle().take(word.len() * count));
            }
            _ => {
                let other = &seeds[chance.below(seeds.len())];
                let from = chance.below(other.len() + 1);
                bytes.truncate(place);
                bytes.extend_from_slice(&other[from..]);
            }
        }
        bytes.truncate(MAX_INPUT);
    }
    bytes
}
