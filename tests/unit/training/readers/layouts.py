"""Small folders in each published layout, made by the test that reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tests.unit.training.film_folders import texture

if TYPE_CHECKING:
    from pathlib import Path

NIH_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Sex,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)
COHEN_HEADER = (
    "patientid,offset,sex,age,finding,RT_PCR_positive,survival,view,modality,date,location,folder,"
    "filename,doi,url,license,clinical_notes,other_notes"
)


def picture(path: Path, seed: int = 0) -> Path:
    """One film, 32 x 40."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(texture(seed, 32, 40)).save(path)
    return path


def mask(path: Path) -> Path:
    """One mask, its left half bright."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = np.zeros((32, 40), dtype=np.uint8)
    drawn[:, :20] = 255
    Image.fromarray(drawn).save(path)
    return path


def text(path: Path, content: str) -> Path:
    """One text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def nih14(folder: Path) -> Path:
    """Three films of two patients, one with a box."""
    rows = [
        "00000001_000.png,Cardiomegaly,0,1,57,M,PA,2682,2749,0.143,0.143,",
        "00000001_001.png,Cardiomegaly|Pleural_Thickening,1,1,58,M,AP,2894,2729,0.143,0.143,",
        "00000002_000.png,No Finding,0,2,412,F,PA,2500,2048,0.168,0.168,",
    ]
    text(folder / "Data_Entry_2017_v2020.csv", "\n".join([NIH_HEADER, *rows]) + "\n")
    text(
        folder / "BBox_List_2017.csv",
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "00000001_000.png,Cardiomegaly,68.5,247.9,614.5,505.7,,,\n",
    )
    text(folder / "train_val_list.txt", "00000001_000.png\n00000001_001.png\n")
    text(folder / "test_list.txt", "00000002_000.png")
    picture(folder / "images_001" / "images" / "00000001_000.png", 1)
    picture(folder / "images_001" / "images" / "00000001_001.png", 2)
    picture(folder / "images_002" / "images" / "00000002_000.png", 3)
    return folder


def kermany(folder: Path) -> Path:
    """A film of each kind of name, in the archive's top folder."""
    top = folder / "chest_xray"
    for index, name in enumerate(
        (
            "train/NORMAL/IM-0115-0001.jpeg",
            "train/NORMAL/NORMAL2-IM-0818-0001-0002.jpeg",
            "train/PNEUMONIA/person7_bacteria_24.jpeg",
            "train/PNEUMONIA/person7_bacteria_25.jpeg",
            "val/NORMAL/NORMAL2-IM-1427-0001.jpeg",
            "val/PNEUMONIA/person1946_bacteria_4874.jpeg",
            "test/NORMAL/IM-0001-0001.jpeg",
            "test/PNEUMONIA/person1_virus_6.jpeg",
        )
    ):
        picture(top / name, index)
    text(top / "train" / "NORMAL" / ".DS_Store", "")
    text(top / "train" / "NORMAL" / "._IM-0115-0001.jpeg", "")
    return folder


def covid_radiography(folder: Path) -> Path:
    """One film a class with its mask; the tables are no text and nobody reads them."""
    for index, kind in enumerate(("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")):
        picture(folder / kind / "images" / f"{kind}-1.png", index)
        mask(folder / kind / "masks" / f"{kind}-1.png")
        (folder / f"{kind}.metadata.xlsx").write_bytes(b"PK\x03\x04")
    return folder


def shenzhen(folder: Path) -> Path:
    """Three films with readings as they are spelled there, one with a mask."""
    top = folder / "ChinaSet_AllFiles"
    readings = {
        "CHNCXR_0001_0": "male 45yrs\nnormal\n",
        "CHNCXR_0044_0": "femal 16month\nnormal",
        "CHNCXR_0330_1": "Female, 28yrs\nright PTB in the upper field\n",
    }
    for index, (name, reading) in enumerate(readings.items()):
        picture(top / "CXR_png" / f"{name}.png", index)
        text(top / "ClinicalReadings" / f"{name}.txt", reading)
    mask(top / "mask" / "CHNCXR_0330_1_mask.png")
    (top / "CXR_png" / "Thumbs.db").write_bytes(b"")
    return folder


def montgomery(folder: Path) -> Path:
    """Two films, each with the mask of both sides."""
    top = folder / "MontgomerySet"
    for index, (name, reading) in enumerate(
        {
            "MCUCXR_0001_0": "Patient's Sex: F \nPatient's Age: 027Y\nnormal\n",
            "MCUCXR_0104_1": "Patient's Sex: M\nPatient's Age: 040Y\na cavity\nin the apex\n",
        }.items()
    ):
        picture(top / "CXR_png" / f"{name}.png", index)
        text(top / "ClinicalReadings" / f"{name}.txt", reading)
        for side in ("left", "right"):
            mask(top / "ManualMask" / f"{side}Mask" / f"{name}.png")
    return folder


def tbx11k(folder: Path) -> Path:
    """A film of each folder; of ``extra`` one of each set; boxes on one film."""
    top = folder / "TBX11K"
    names = (
        "health/h0001.png",
        "sick/s0001.png",
        "tb/tb0003.png",
        "tb/tb1199.png",
        "test/test_00001.png",
        "extra/mc/MCUCXR_0104_1.png",
        "extra/sz/CHNCXR_0001_0.png",
        "extra/da+db/train/px12.jpg",
        "extra/da+db/test/n004.jpg",
    )
    for index, name in enumerate(names):
        picture(top / "imgs" / name, index)
    listed = [name for name in names if not name.startswith("test/")]
    document = {
        "categories": [
            {"id": 1, "name": "ActiveTuberculosis", "supercategory": "Tuberculosis"},
            {"id": 2, "name": "ObsoletePulmonaryTuberculosis", "supercategory": "Tuberculosis"},
        ],
        "images": [{"id": i, "file_name": name} for i, name in enumerate(listed)],
        "annotations": [
            {"id": 1, "image_id": 2, "category_id": 1, "bbox": [4, 5, 10, 12]},
            {"id": 2, "image_id": 2, "category_id": 2, "bbox": [20.5, 5, 6, 7]},
        ],
    }
    text(top / "annotations" / "json" / "all_trainval.json", json.dumps(document))
    text(top / "lists" / "all_train.txt", "\n".join(listed[:3]))
    text(top / "lists" / "all_val.txt", "\n".join(listed[3:]) + "\n")
    return folder


def covid_chestxray(folder: Path) -> Path:
    """Films with open, restricted and unstated licences, beside rows that are no film."""
    rows = [
        "2,0,M,65,Pneumonia/Viral/COVID-19,Y,Y,PA,X-ray,2020,,images,a.jpeg,,,CC BY-NC-SA 4.0,,",
        '2,3,M,65,"COVID-19, ARDS",,Y,AP Supine,X-ray,2020,,images,b.jpg,,,CC BY-SA,,',
        "3,,F,,Pneumonia/Bacterial/Klebsiella,,,L,X-ray,2011,,images,c.png,,,,,",
        "4,,,71,No Finding,,,AP,X-ray,2019,,images,d.png,,,CC BY 3.0,,",
        "5,,,,todo,,,PA,X-ray,2020,,images,e.png,,,CC0,,",
        "6,,M,40,Pneumonia/Viral/COVID-19,,,Axial,CT,2020,,volumes,f.nii.gz,,,,,",
    ]
    text(folder / "metadata.csv", "\n".join([COHEN_HEADER, *rows]) + "\n")
    for index, name in enumerate(("a.jpeg", "b.jpg", "c.png", "d.png", "e.png")):
        picture(folder / "images" / name, index)
    mask(folder / "annotations" / "lungVAE-masks" / "a_mask.png")
    document = {
        "categories": [{"id": 1, "name": "Right Lung"}, {"id": 2, "name": "Left Lung"}],
        "images": [{"id": 1, "file_name": "a.jpeg"}],
        "annotations": [{"image_id": 1, "category_id": 2, "bbox": [22, 3, 15, 25]}],
    }
    boxes = "imageannotation_ai_lung_bounding_boxes.json"
    text(folder / "annotations" / boxes, json.dumps(document))
    return folder


def pack(folder: Path) -> Path:
    """Two films and a copy, with a mask and a box."""
    text(
        folder / "manifest.csv",
        "file,source,group_id,view,labels,normalised_label,licence,licence_flags,split,age,sex,"
        "age_group,native_w,native_h,variant_of\n"
        "images/kermany/a.jpg,kermany,kermany-person1,AP,PNEUMONIA|virus,pneumonia_viral,"
        "CC BY 4.0,,train,,,paediatric (1-5 y),224,224,\n"
        "images/kermany_native/a.jpg,kermany_native,kermany-person1,AP,PNEUMONIA|virus,"
        "pneumonia_viral,CC BY 4.0,,train,,,paediatric (1-5 y),1200,900,images/kermany/a.jpg\n"
        "images/nih14/b.jpg,nih14,nih-00002,PA,Effusion|Infiltration,"
        'other:effusion|infiltration,NIH-CC terms,"no-explicit-licence-text,SA",,16.0,F,'
        "paediatric,512,512,\n",
    )
    for index, name in enumerate(("kermany/a.jpg", "kermany_native/a.jpg", "nih14/b.jpg")):
        picture(folder / "images" / name, index)
    mask(folder / "masks" / "kermany_native" / "a_lungs.png")
    text(
        folder / "masks.csv",
        "file,mask,kind,convention,annotator,licence\n"
        "images/kermany_native/a.jpg,masks/kermany_native/a_lungs.png,lungs,"
        "lung fields INCLUDING the part behind the heart,V7 Labs,CC BY 4.0\n",
    )
    text(
        folder / "boxes.csv",
        "file,label,x,y,w,h\nimages/nih14/b.jpg,Effusion,1.5,2,10,20.5\n",
    )
    return folder


def local(folder: Path, table: str | None = None) -> Path:
    """Three films of two patients, or the table that the test gives."""
    rows = (
        "file,patient,view,age,sex,label\n"
        "a.png,P1,PA,61,F,tuberculosis\n"
        "b.png,P1,PA,61,F,tuberculosis\n"
        "c.png,P2,AP,,,normal\n"
    )
    text(folder / "films.csv", table or rows)
    for index, name in enumerate(("a.png", "b.png", "c.png")):
        picture(folder / name, index)
    return folder
