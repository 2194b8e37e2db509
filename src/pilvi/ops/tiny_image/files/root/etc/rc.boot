#!/bin/sh
# Mounts, growth of the root file system, the daemons every boot needs.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=755 run /run
ln -sf /proc/mounts /etc/mtab
if [ -f /.grow ]; then
  resize2fs "$(cat /.grow)" >/dev/null 2>&1
  rm -f /.grow
  sync
fi
hostname -F /etc/hostname
ip link set lo up
mkdir -p /run/resolv
syslogd -C64 2>/dev/null
acpid -c /etc/acpi -l /var/log/acpid.log 2>/dev/null
