//! Tables of text that fit the terminal: numbers to the right, the widest column cut first.

use console::{Alignment, measure_text_width, pad_str};

const GAP: &str = "  ";
/// A column is not cut below this.
const WIDTH_MIN: usize = 6;

/// Rows of cells under headings.
pub(crate) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { headings: headings.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are headings.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The lines of the table, each at most `columns` wide if that can be.
    pub(crate) fn lines(&self, columns: usize) -> Vec<String> {
        let widths = self.widths(columns);
        let sides: Vec<_> = (0..widths.len()).map(|column| self.side(column)).collect();
        let line = |cells: &Vec<String>| {
            let cells = cells.iter().zip(&widths).zip(&sides);
            let padded = cells.map(|((cell, width), side)| pad_str(cell, *width, *side, Some("…")));
            padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        std::iter::once(&self.headings).chain(&self.rows).map(line).collect()
    }

    fn widths(&self, columns: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.headings.len())
            .map(|column| self.cells(column).map(measure_text_width).max().unwrap_or(0))
            .collect();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > columns {
            match widths.iter_mut().max() {
                Some(widest) if *widest > WIDTH_MIN => *widest -= 1,
                _ => break,
            }
        }
        widths
    }

    /// The cells of a column, its heading first.
    fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        let rows = std::iter::once(&self.headings).chain(&self.rows);
        rows.filter_map(move |row| row.get(column).map(String::as_str))
    }

    fn side(&self, column: usize) -> Alignment {
        let number =
            |cell: &str| cell.starts_with(|first: char| first.is_ascii_digit() || first == '-');
        if self.cells(column).skip(1).all(number) { Alignment::Right } else { Alignment::Left }
    }
}
