//! The C layer of the tracker: the one part of the library with a handle.
//!
//! As in `capi`, pointers are checked before anything is made of them, and
//! what panics ends in a status. A tracker may then be half changed: it is
//! poisoned, and every later call says so.

use crate::capi::Context;
use crate::capi::{self, bytes, guard, load, output, Status};
use crate::capi::{END, ERR_NOT_HTTP, ERR_PANIC, ERR_RANGE, OK, PARTIAL};
use crate::message::Message;
use crate::track::{Exchange, Found, Segment, Side, Taken, Tracker};
use std::net::IpAddr;

/// `MCAS_SEGMENT_ACK` of the header; the other flags are the tracker's.
pub const SEGMENT_ACK: u32 = 16;
/// `MCAS_SEGMENT_IDENTIFIED` of the header.
pub const SEGMENT_IDENTIFIED: u32 = 32;

/// `mcas_tracker` of the header.
#[derive(Debug)]
pub struct Handle {
    tracker: Tracker,
    /// The message that was handed out last.
    found: Option<Found>,
    poisoned: bool,
}

/// `mcas_segment` of the header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TrackerSegment {
    pub bytes: *const u8,
    pub from: *const u8,
    pub to: *const u8,
    pub connection: u64,
    pub tag: u64,
    pub time: u64,
    pub captured: u32,
    pub length: u32,
    pub sequence: u32,
    pub acknowledged: u32,
    pub flags: u32,
    pub address_length: u32,
    pub from_port: u16,
    pub to_port: u16,
    pub identification: u16,
    pub reserved: u16,
}

/// `mcas_tracked_message` of the header.
#[repr(C)]
pub struct TrackedMessage {
    pub message: Message,
    pub bytes: *const u8,
    pub exchange: u64,
    pub first_tag: u64,
    pub last_tag: u64,
    pub time: u64,
    pub missing: u64,
    pub connection: u64,
    pub context: Context,
    pub from: [u8; 16],
    pub to: [u8; 16],
    pub address_length: u32,
    pub length: u32,
    pub sequence: u32,
    pub flags: u32,
    pub from_port: u16,
    pub to_port: u16,
    pub reserved: u32,
}

/// `mcas_tracked_exchange` of the header.
#[repr(C)]
pub struct TrackedExchange {
    pub number: u64,
    pub request_tag: u64,
    pub request_time: u64,
    pub last_try_tag: u64,
    pub last_try_time: u64,
    pub response_tag: u64,
    pub response_time: u64,
    pub response_bytes: u64,
    pub request_type: u32,
    pub request_method: u32,
    pub status: u32,
    pub tries: u32,
    pub flags: u32,
    pub reserved: u32,
}

impl From<&Exchange> for TrackedExchange {
    fn from(known: &Exchange) -> TrackedExchange {
        TrackedExchange {
            number: known.number,
            request_tag: known.request.tag,
            request_time: known.request.time,
            last_try_tag: known.last_try.tag,
            last_try_time: known.last_try.time,
            response_tag: known.response.tag,
            response_time: known.response.time,
            response_bytes: known.response_bytes,
            request_type: known.request_type,
            request_method: known.request_method,
            status: known.status,
            tries: known.tries,
            flags: known.flags,
            reserved: 0,
        }
    }
}

/// Does something with a tracker; one in which a panic happened is not used
/// again.
///
/// # Safety
/// `tracker` is NULL or was made by `mcas_tracker_new`, and nothing else uses
/// it meanwhile.
unsafe fn with(
    tracker: *mut Handle,
    work: impl FnOnce(&mut Handle) -> Result<Status, Status>,
) -> Status {
    guard(|| {
        let tracker = output(tracker)?;
        // SAFETY: not NULL; the rest is promised.
        let handle = unsafe { &mut *tracker };
        if handle.poisoned {
            return Err(ERR_PANIC);
        }
        handle.poisoned = true;
        let status = work(handle);
        handle.poisoned = false;
        status
    })
}

/// An address of four or sixteen bytes.
///
/// # Safety
/// `start` is NULL or good for reading `length` bytes.
unsafe fn address(start: *const u8, length: u32) -> Result<IpAddr, Status> {
    // SAFETY: the caller's promise.
    let address = unsafe { bytes(start, length as usize) }?;
    match (<[u8; 4]>::try_from(address), <[u8; 16]>::try_from(address)) {
        (Ok(four), _) => Ok(four.into()),
        (_, Ok(sixteen)) => Ok(sixteen.into()),
        _ => Err(ERR_RANGE),
    }
}

/// An address and its length: none where there were no packets.
fn octets(address: IpAddr) -> ([u8; 16], u32) {
    let mut octets = [0; 16];
    match address {
        IpAddr::V4(address) if address.is_unspecified() => (octets, 0),
        IpAddr::V4(address) => {
            octets[..4].copy_from_slice(&address.octets());
            (octets, 4)
        }
        IpAddr::V6(address) => (address.octets(), 16),
    }
}

/// `MCAS_SIDE_...` of the header.
fn side(number: u32) -> Result<Side, Status> {
    match number {
        0 => Ok(Side::Client),
        1 => Ok(Side::Server),
        _ => Err(ERR_RANGE),
    }
}

fn taken(taken: Taken) -> Result<Status, Status> {
    match taken {
        Taken::Read => Ok(OK),
        Taken::Waiting => Ok(PARTIAL),
        Taken::Over => Ok(END),
        Taken::NotHttp => Err(ERR_NOT_HTTP),
    }
}

/// See `mcas_tracker_new` in `include/mcas.h`.
///
/// # Safety
/// `out` is NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_tracker_new(out: *mut *mut Handle) -> Status {
    guard(|| {
        let out = output(out)?;
        let handle =
            Handle { tracker: Tracker::new(), found: None, poisoned: false };
        // SAFETY: checked by `output`; the rest is the caller's promise.
        unsafe { out.write(Box::into_raw(Box::new(handle))) };
        Ok(OK)
    })
}

/// See `mcas_tracker_free` in `include/mcas.h`.
///
/// # Safety
/// `tracker` is NULL or was made by `mcas_tracker_new`, and is not used
/// again.
#[no_mangle]
pub unsafe extern "C" fn mcas_tracker_free(tracker: *mut Handle) {
    if !tracker.is_null() {
        guard(|| {
            // SAFETY: the caller's promise.
            drop(unsafe { Box::from_raw(tracker) });
            Ok(OK)
        });
    }
}

/// See `mcas_tracker_segment` in `include/mcas.h`.
///
/// # Safety
/// `tracker` as for `with`; `segment` is NULL or good for reading, and so is
/// what it points to.
#[no_mangle]
pub unsafe extern "C" fn mcas_tracker_segment(
    tracker: *mut Handle,
    segment: *const TrackerSegment,
) -> Status {
    let work = |handle: &mut Handle| {
        // SAFETY: the caller's promise.
        let segment = unsafe { load(segment) }?;
        // SAFETY: as above.
        let (captured, from, to) = unsafe {
            (
                bytes(segment.bytes, segment.captured as usize)?,
                address(segment.from, segment.address_length)?,
                address(segment.to, segment.address_length)?,
            )
        };
        if segment.length as usize > crate::MAX_INPUT {
            return Err(capi::ERR_TOO_LARGE);
        }
        let told = |flag| segment.flags & flag != 0;
        handle.found = None;
        handle.tracker.segment(&Segment {
            ends: [(from, segment.from_port), (to, segment.to_port)],
            connection: segment.connection,
            sequence: segment.sequence,
            acknowledged: told(SEGMENT_ACK).then_some(segment.acknowledged),
            flags: segment.flags,
            length: segment.length,
            bytes: captured,
            identification: told(SEGMENT_IDENTIFIED)
                .then_some(segment.identification),
            tag: segment.tag,
            time: segment.time,
        });
        Ok(OK)
    };
    // SAFETY: the caller's promise.
    unsafe { with(tracker, work) }
}

/// See `mcas_tracker_bytes` in `include/mcas.h`.
///
/// # Safety
/// `tracker` as for `with`; `buf` is NULL or good for reading `len` bytes.
#[no_mangle]
pub unsafe extern "C" fn mcas_tracker_bytes(
    tracker: *mut Handle,
    connection: u64,
    from: u32,
    tag: u64,
    buf: *const u8,
    len: usize,
) -> Status {
    let work = |handle: &mut Handle| {
        // SAFETY: the caller's promise.
        let bytes = unsafe { bytes(buf, len) }?;
        let side = side(from)?;
        handle.found = None;
        taken(handle.tracker.bytes(connection, side, bytes, tag))
    };
    // SAFETY: the caller's promise.
    unsafe { with(tracker, work) }
}

/// See `mcas_tracker_end` in `include/mcas.h`.
///
/// # Safety
/// As for `with`.
#[no_mangle]
pub unsafe extern "C" fn mcas_tracker_end(
    tracker: *mut Handle,
    connection: u64,
    from: u32,
) -> Status {
    let work = |handle: &mut Handle| {
        let side = side(from)?;
        handle.found = None;
        taken(handle.tracker.end(connection, side))
    };
    // SAFETY: the caller's promise.
    unsafe { with(tracker, work) }
}

/// See `mcas_tracker_finish` in `include/mcas.h`.
///
/// # Safety
/// As for `with`.
#[no_mangle]
pub unsafe extern "C" fn mcas_tracker_finish(tracker: *mut Handle) -> Status {
    let work = |handle: &mut Handle| {
        handle.found = None;
        handle.tracker.finish();
        Ok(OK)
    };
    // SAFETY: the caller's promise.
    unsafe { with(tracker, work) }
}

/// See `mcas_tracker_next` in `include/mcas.h`.
///
/// # Safety
/// `tracker` as for `with`; `out` is NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_tracker_next(
    tracker: *mut Handle,
    out: *mut TrackedMessage,
) -> Status {
    let work = |handle: &mut Handle| {
        let out = output(out)?;
        let found = handle.tracker.next_found().ok_or(END)?;
        let found = handle.found.insert(found);
        let [(from, address_length), (to, _)] =
            found.ends.map(|(address, _)| octets(address));
        let written = TrackedMessage {
            message: found.message,
            bytes: found.bytes.as_ptr(),
            exchange: found.exchange,
            first_tag: found.first,
            last_tag: found.last,
            time: found.time,
            missing: found.missing,
            connection: found.connection,
            context: found.context.into(),
            from,
            to,
            address_length,
            length: found.bytes.len() as u32,
            sequence: found.sequence,
            flags: found.flags,
            from_port: found.ends[0].1,
            to_port: found.ends[1].1,
            reserved: 0,
        };
        // SAFETY: as in `mcas_tracker_new`.
        unsafe { out.write(written) };
        Ok(OK)
    };
    // SAFETY: the caller's promise.
    unsafe { with(tracker, work) }
}

/// See `mcas_tracker_exchange` in `include/mcas.h`.
///
/// # Safety
/// `tracker` as for `with`; `out` is NULL or good for writing.
#[no_mangle]
pub unsafe extern "C" fn mcas_tracker_exchange(
    tracker: *mut Handle,
    number: u64,
    out: *mut TrackedExchange,
) -> Status {
    let work = |handle: &mut Handle| {
        let out = output(out)?;
        let known = handle.tracker.exchange(number).ok_or(END)?;
        // SAFETY: as in `mcas_tracker_new`.
        unsafe { out.write(known.into()) };
        Ok(OK)
    };
    // SAFETY: the caller's promise.
    unsafe { with(tracker, work) }
}

/// See `mcas_tracker_forget` in `include/mcas.h`.
///
/// # Safety
/// As for `with`.
#[no_mangle]
pub unsafe extern "C" fn mcas_tracker_forget(
    tracker: *mut Handle,
    number: u64,
) -> Status {
    let work = |handle: &mut Handle| {
        handle.tracker.forget(number);
        Ok(OK)
    };
    // SAFETY: the caller's promise.
    unsafe { with(tracker, work) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::MaybeUninit;
    use core::ptr;

    /// Its status and nothing else comes out of a panic, then and later.
    #[test]
    fn poisoned() {
        let mut tracker = ptr::null_mut();
        let mut found = MaybeUninit::uninit();
        let mut known = MaybeUninit::uninit();
        // SAFETY: pointers are NULL or good, and the handle is not used
        // after it is freed.
        unsafe {
            assert_eq!(mcas_tracker_new(&mut tracker), OK);
            // What is refused does no harm.
            assert_eq!(with(tracker, |_| Err(ERR_RANGE)), ERR_RANGE);
            assert_eq!(mcas_tracker_forget(tracker, 1), OK);
            assert_eq!(with(tracker, |_| panic!("planted")), ERR_PANIC);
            for status in [
                mcas_tracker_segment(tracker, ptr::null()),
                mcas_tracker_bytes(tracker, 0, 0, 0, ptr::null(), 0),
                mcas_tracker_end(tracker, 0, 0),
                mcas_tracker_finish(tracker),
                mcas_tracker_next(tracker, found.as_mut_ptr()),
                mcas_tracker_exchange(tracker, 1, known.as_mut_ptr()),
                mcas_tracker_forget(tracker, 1),
            ] {
                assert_eq!(status, ERR_PANIC);
            }
            mcas_tracker_free(tracker);
        }
    }
}
