//! Which datagrams a link loses.

use crate::random::Random;

/// Which datagrams a link loses, beside those that its buffer has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// Each with this probability, whatever became of the others.
    Random(f64),
    /// Bursts (Gilbert's model): a good link turns bad with probability `begin` at each datagram, a bad one loses
    /// everything and turns good again with probability `end`, so that bursts are `1 / end` long on average.
    Bursts {
        /// From good to bad.
        begin: f64,
        /// From bad to good.
        end: f64,
    },
}

/// A link's own run of luck.
#[derive(Debug, Default)]
pub(crate) struct Luck {
    bad: bool,
}

impl Luck {
    pub(crate) fn loses(&mut self, loss: Loss, random: &mut Random) -> bool {
        match loss {
            Loss::None => false,
            Loss::Random(probability) => random.chance(probability),
            Loss::Bursts { begin, end } => {
                self.bad = if self.bad { !random.chance(end) } else { random.chance(begin) };
                self.bad
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(loss: Loss) -> (usize, usize) {
        let (mut random, mut luck) = (Random::new(1), Luck::default());
        let run: Vec<bool> = (0..100_000).map(|_| luck.loses(loss, &mut random)).collect();
        let bursts = run.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        (run.iter().filter(|lost| **lost).count(), bursts)
    }

    #[test]
    fn random_loss_is_about_as_much_as_asked() {
        assert_eq!(lost(Loss::None), (0, 0));
        let (count, _) = lost(Loss::Random(0.01));
        assert!((800..1200).contains(&count), "{count}");
    }

    #[test]
    fn bursts_are_as_long_as_asked() {
        let (count, bursts) = lost(Loss::Bursts { begin: 0.01, end: 0.2 });
        let length = count as f64 / bursts as f64;
        assert!((4.0..6.0).contains(&length), "{length}");
    }
}
