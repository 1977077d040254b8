//! The tables as they are checked in: what a run has measured takes its place among what earlier runs have.

use std::collections::BTreeMap;
use std::fmt;

use super::rows::{Group, groups};
use super::stack::Stack;
use super::table::{CELL_WIDTH, Cells, NAME_WIDTH, line};

/// Cells as text, by the title of their table, row and stack.
#[derive(Debug, Default)]
pub(crate) struct Written(BTreeMap<(&'static str, String, &'static str), String>);

impl Written {
    pub(crate) fn parse(text: &str) -> Self {
        let mut written = Self::default();
        for group in groups() {
            let Some((_, rest)) = text.split_once(group.title) else { continue };
            let mut lines = rest.lines().skip_while(|line| line.is_empty());
            let names: Vec<_> = lines.next().map(cells).into_iter().flatten().collect();
            for line in lines.take_while(|line| !line.is_empty()) {
                let row = line.get(..NAME_WIDTH).unwrap_or(line).trim_end();
                for (name, cell) in names.iter().zip(cells(line)) {
                    if let Some(stack) = Stack::ALL.iter().find(|stack| stack.name() == *name) {
                        written.0.insert((group.title, row.to_owned(), stack.name()), cell.to_owned());
                    }
                }
            }
        }
        written
    }

    /// The cells of a row, none where a stack was not run; nothing where the row was not written yet.
    pub(crate) fn row(&self, title: &'static str, name: &str) -> Option<[Option<&str>; Stack::ALL.len()]> {
        let cell = |stack: Stack| self.0.get(&(title, name.to_owned(), stack.name())).map(String::as_str);
        let cells = Stack::ALL.map(cell);
        cells.iter().any(Option::is_some).then_some(cells)
    }

    /// Puts what was measured in the place of what was there.
    pub(crate) fn put(&mut self, group: &Group, stacks: &[Stack], rows: &[Cells]) {
        for (row, cells) in group.rows.iter().zip(rows) {
            for (stack, cell) in stacks.iter().zip(cells) {
                self.0.insert((group.title, row.name.clone(), stack.name()), cell.text());
            }
        }
    }
}

/// What stands behind the name of a row.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    let starts = (NAME_WIDTH..line.len()).step_by(CELL_WIDTH);
    starts.map(|start| line.get(start..start + CELL_WIDTH).unwrap_or_default().trim())
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, group) in groups().iter().enumerate() {
            let between = if place > 0 { "\n" } else { "" };
            write!(
                f,
                "{between}{}\n\n{}",
                group.title,
                line("", Stack::ALL.iter().map(|stack| stack.name()))
            )?;
            for row in &group.rows {
                if let Some(cells) = self.row(group.title, &row.name) {
                    f.write_str(&line(&row.name, cells.into_iter().map(|cell| cell.unwrap_or("-"))))?;
                }
            }
        }
        Ok(())
    }
}
