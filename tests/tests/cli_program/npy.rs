//! Small `.npy` files.

use std::{fs, path::Path};

/// Numbers that float16 holds exactly, with their bits.
const HALVES: [(f32, u16); 5] =
    [(0.0, 0x0000), (0.5, 0x3800), (1.0, 0x3C00), (-1.0, 0xBC00), (2.0, 0x4000)];

/// Writes rows as float32.
pub(crate) fn write_f32(path: &Path, rows: &[Vec<f32>]) {
    let bytes = rows.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
    write(path, "<f4", rows.len(), rows[0].len(), bytes);
}

/// Writes rows of [`HALVES`] as float16.
pub(crate) fn write_f16(path: &Path, rows: &[Vec<f32>]) {
    let bits = |number: &f32| {
        let (_, bits) = HALVES.iter().find(|(half, _)| half == number).expect("one of HALVES");
        bits.to_le_bytes()
    };
    let bytes = rows.iter().flatten().flat_map(bits).collect();
    write(path, "<f2", rows.len(), rows[0].len(), bytes);
}

/// Writes rows as int32.
pub(crate) fn write_i32(path: &Path, rows: &[Vec<i32>]) {
    let bytes = rows.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
    write(path, "<i4", rows.len(), rows[0].len(), bytes);
}

fn write(path: &Path, kind: &str, rows: usize, columns: usize, numbers: Vec<u8>) {
    let header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let padded = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(padded).expect("the header is short").to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = padded - 1).bytes());
    bytes.extend(numbers);
    fs::write(path, bytes).expect("the file is written");
}
