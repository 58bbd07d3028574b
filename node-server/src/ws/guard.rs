//! Stands between the socket and the WebSocket protocol, so that one message that is too long costs
//! neither memory nor the connection.
//!
//! The guard follows the headers of the client's frames (RFC 6455 §5.2). The payload of a data
//! frame over the limit is dropped as it arrives, and a short text frame takes its place: a
//! character no JSON text begins with, then the length that was refused. Everything else passes
//! unchanged, also what the protocol will refuse, which is the protocol's to say.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// ASCII SUBSTITUTE: "in place of what is invalid".
const SUBSTITUTE: char = '\u{1a}';
const HEADER_BYTES_MIN: usize = 2;
const MASK_BYTES: usize = 4;
/// Bytes read from the socket at a time.
const INPUT_BYTES: usize = 16 * 1024;

const FINAL: u8 = 0b1000_0000;
const MASKED: u8 = 0b1000_0000;
const LENGTH: u8 = 0b0111_1111;
const LENGTH_IS_U16: u8 = 126;
const LENGTH_IS_U64: u8 = 127;
const FINAL_TEXT: u8 = FINAL | 1;
const FINAL_BINARY: u8 = FINAL | 2;

/// The length of the message in whose place the guard put `text`; `None` for any other text.
pub(super) fn refused_bytes(text: &str) -> Option<u64> {
    text.strip_prefix(SUBSTITUTE)?.parse().ok()
}

/// A sign of life: changes whenever bytes arrive, also those of a message still on its way.
#[derive(Clone, Default)]
pub(super) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// How often bytes arrived.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A socket whose incoming messages are at most so long.
pub(super) struct Guard<S> {
    inner: S,
    frames: Frames,
    /// What was read and not yet looked at: `input[start..]`.
    input: Vec<u8>,
    start: usize,
    pulse: Pulse,
}

impl<S> Guard<S> {
    /// Guards `inner`, of which `input` was read already.
    pub(super) fn new(inner: S, input: Vec<u8>, message_bytes_max: usize) -> Self {
        let frames = Frames::new(message_bytes_max);
        Self { inner, frames, input, start: 0, pulse: Pulse::default() }
    }

    /// Its sign of life.
    pub(super) fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }
}

impl<S: AsyncRead + Unpin> Guard<S> {
    /// Reads from the socket once what was read is used up; `false` at its end.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.input.resize(INPUT_BYTES, 0);
        let mut buffer = ReadBuf::new(&mut self.input);
        let read = Pin::new(&mut self.inner).poll_read(cx, &mut buffer);
        let filled = buffer.filled().len();
        self.input.truncate(filled);
        self.start = 0;
        ready!(read)?;
        self.pulse.beat();
        Poll::Ready(Ok(filled > 0))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        output: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let empty = output.remaining();
        while empty > 0 && output.remaining() == empty {
            if this.start == this.input.len()
                && !this.frames.has_output()
                && !ready!(this.poll_input(cx))?
            {
                break;
            }
            this.start += this.frames.pass(&this.input[this.start..], output);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Where in the stream of frames the next byte is.
enum Place {
    /// In a header, of which so much is known.
    Header(Vec<u8>),
    /// In a payload that passes, so many bytes from its end.
    Passing(u64),
    /// In a payload that is dropped, so many bytes from its end.
    Dropping(u64),
}

/// Follows a stream of frames, however it is cut into reads.
struct Frames {
    payload_bytes_max: u64,
    place: Place,
    /// A header, or the frame that stands in for a dropped one, that has to go out first.
    output: Vec<u8>,
}

impl Frames {
    fn new(payload_bytes_max: usize) -> Self {
        let payload_bytes_max = u64::try_from(payload_bytes_max).unwrap_or(u64::MAX);
        Self { payload_bytes_max, place: Place::Header(Vec::new()), output: Vec::new() }
    }

    fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Takes bytes from the front of `input`, gives some to `output`, says how many it took.
    fn pass(&mut self, input: &[u8], output: &mut ReadBuf<'_>) -> usize {
        if self.has_output() {
            let given = self.output.len().min(output.remaining());
            output.put_slice(&self.output[..given]);
            self.output.drain(..given);
            return 0;
        }
        match &mut self.place {
            Place::Header(_) => self.read_header(input),
            Place::Passing(left) => {
                let taken = at_most(*left, input.len().min(output.remaining()));
                output.put_slice(&input[..taken]);
                self.leave_payload(taken)
            }
            Place::Dropping(left) => {
                let taken = at_most(*left, input.len());
                self.leave_payload(taken)
            }
        }
    }

    /// Goes `taken` bytes towards the end of the payload.
    fn leave_payload(&mut self, taken: usize) -> usize {
        if let Place::Passing(left) | Place::Dropping(left) = &mut self.place {
            *left -= u64::try_from(taken).unwrap_or(*left);
            if *left == 0 {
                self.place = Place::Header(Vec::new());
            }
        }
        taken
    }

    /// Takes what belongs to the header, and when that is whole, decides about the payload.
    fn read_header(&mut self, input: &[u8]) -> usize {
        let Place::Header(header) = &mut self.place else {
            return 0;
        };
        let mut taken = 0;
        while header.len() < header_bytes(header) && taken < input.len() {
            header.push(input[taken]);
            taken += 1;
        }
        if header.len() == header_bytes(header) {
            let header = std::mem::take(header);
            self.decide(header);
        }
        taken
    }

    fn decide(&mut self, header: Vec<u8>) {
        let length = payload_bytes(&header);
        let whole_message = matches!(header[0], FINAL_TEXT | FINAL_BINARY);
        let sound = header[1] & MASKED != 0 && i64::try_from(length).is_ok();
        if whole_message && sound && length > self.payload_bytes_max {
            self.output = substitute(length);
            self.place = Place::Dropping(length);
        } else {
            self.output = header;
            self.place =
                if length == 0 { Place::Header(Vec::new()) } else { Place::Passing(length) };
        }
    }
}

/// How long the header is, as far as its first bytes tell: 2 to 14 bytes.
fn header_bytes(header: &[u8]) -> usize {
    let Some(second) = header.get(1) else {
        return HEADER_BYTES_MIN;
    };
    let mask = if second & MASKED == 0 { 0 } else { MASK_BYTES };
    HEADER_BYTES_MIN + length_bytes(*second) + mask
}

/// How many bytes after the second say the length.
fn length_bytes(second: u8) -> usize {
    match second & LENGTH {
        LENGTH_IS_U64 => size_of::<u64>(),
        LENGTH_IS_U16 => size_of::<u16>(),
        _ => 0,
    }
}

/// The length of the payload behind a whole header.
fn payload_bytes(header: &[u8]) -> u64 {
    match length_bytes(header[1]) {
        0 => u64::from(header[1] & LENGTH),
        count => {
            let bytes = &header[HEADER_BYTES_MIN..HEADER_BYTES_MIN + count];
            bytes.iter().fold(0, |length, byte| (length << 8) | u64::from(*byte))
        }
    }
}

/// A masked text frame that says a message of `length` bytes was dropped. Its mask is zero, which
/// changes nothing.
fn substitute(length: u64) -> Vec<u8> {
    let payload = format!("{SUBSTITUTE}{length}");
    let short = u8::try_from(payload.len()).expect("20 digits and one character");
    let mut frame = vec![FINAL_TEXT, MASKED | short, 0, 0, 0, 0];
    frame.extend_from_slice(payload.as_bytes());
    frame
}

fn at_most(left: u64, available: usize) -> usize {
    usize::try_from(left).map_or(available, |left| left.min(available))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    const BYTES_MAX: usize = 300;

    /// A masked frame as a client sends it.
    fn frame(first: u8, payload_bytes: usize) -> Vec<u8> {
        let length = u16::try_from(payload_bytes).expect("test frames are short");
        let mut frame = vec![first];
        match u8::try_from(length) {
            Ok(short) if short < LENGTH_IS_U16 => frame.push(MASKED | short),
            _ => {
                frame.push(MASKED | LENGTH_IS_U16);
                frame.extend_from_slice(&length.to_be_bytes());
            }
        }
        frame.extend_from_slice(&[1, 2, 3, 4]);
        frame.extend((0..payload_bytes).map(|byte| u8::try_from(byte % 251).unwrap_or(0)));
        frame
    }

    /// What comes out of a guard when `input` arrives in pieces of `piece` bytes and is read into a
    /// buffer of `room` bytes.
    async fn passed(input: &[u8], piece: usize, room: usize) -> Vec<u8> {
        let mut reads = Pieces { left: input.to_vec(), piece };
        let mut guard = Guard::new(&mut reads, Vec::new(), BYTES_MAX);
        let mut output = Vec::new();
        let mut buffer = vec![0; room];
        loop {
            match guard.read(&mut buffer).await.expect("reading from memory") {
                0 => return output,
                read => output.extend_from_slice(&buffer[..read]),
            }
        }
    }

    /// A reader that gives at most `piece` bytes at a time.
    struct Pieces {
        left: Vec<u8>,
        piece: usize,
    }

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            output: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let given = self.left.len().min(self.piece).min(output.remaining());
            output.put_slice(&self.left[..given]);
            self.left.drain(..given);
            Poll::Ready(Ok(()))
        }
    }

    async fn check(input: &[u8], expected: &[u8]) {
        for piece in [1, 2, 3, 7, 100, usize::MAX] {
            for room in [1, 5, 4096] {
                assert_eq!(passed(input, piece, room).await, expected, "{piece} {room}");
            }
        }
    }

    #[tokio::test]
    async fn messages_up_to_the_limit_pass_unchanged() {
        for payload_bytes in [0, 1, 125, 126, BYTES_MAX] {
            let input = [frame(FINAL_TEXT, payload_bytes), frame(FINAL_BINARY, 3)].concat();
            check(&input, &input).await;
        }
    }

    #[tokio::test]
    async fn a_message_over_the_limit_is_replaced_and_the_next_one_passes() {
        let (before, after) = (frame(FINAL_TEXT, 10), frame(FINAL_TEXT, 20));
        for first in [FINAL_TEXT, FINAL_BINARY] {
            let input = [&before[..], &frame(first, BYTES_MAX + 1), &after].concat();
            check(&input, &[&before[..], &substitute(301), &after].concat()).await;
        }
    }

    #[tokio::test]
    async fn what_the_protocol_refuses_is_left_to_it() {
        const FIRST_FRAGMENT: u8 = 1;
        const FINAL_PING: u8 = FINAL | 9;
        for first in [FIRST_FRAGMENT, FINAL_PING] {
            let input = frame(first, BYTES_MAX + 1);
            check(&input, &input).await;
        }
    }

    #[tokio::test]
    async fn bytes_read_with_the_handshake_are_guarded_too() {
        let frame = frame(FINAL_TEXT, BYTES_MAX + 1);
        let (early, late) = frame.split_at(9);
        let mut guard = Guard::new(late, early.to_vec(), BYTES_MAX);
        let mut output = Vec::new();
        guard.read_to_end(&mut output).await.expect("reading from memory");
        assert_eq!(output, substitute(301));
    }

    #[test]
    fn only_the_substitute_reads_as_one() {
        assert_eq!(refused_bytes("\u{1a}104857600"), Some(104_857_600));
        assert_eq!(refused_bytes("104857600"), None);
        assert_eq!(refused_bytes("\u{1a}"), None);
    }
}
