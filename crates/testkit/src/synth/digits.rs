//! Whole numbers as text. Every row has twenty of them, and the formatter of the standard library took longer over them than over all else that is written.

/// Adds `number`, with noughts before it where it has fewer than `width` digits.
pub(super) fn padded(mut number: u64, width: usize, text: &mut String) {
    let mut digits = ['0'; 20];
    let mut at = digits.len();
    while number > 0 {
        at -= 1;
        digits[at] = char::from(b'0' + (number % 10) as u8);
        number /= 10;
    }
    text.extend(&digits[at.min(digits.len() - width)..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        for number in [0, 7, 10, 99, 1234, u64::MAX] {
            for width in [1, 2, 13, 20] {
                let mut text = String::new();
                padded(number, width, &mut text);
                assert_eq!(text, format!("{number:0width$}"));
            }
        }
    }
}
